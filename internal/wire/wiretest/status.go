package wiretest

// Statuses lists the codes of status lines, other than a 2xx, that every table must have
// thought of: all that RFC 9110 and its neighbours name, their gaps, and some that nobody
// names. A 1xx but 101 is not among them: it is no reply (see Silences).
func Statuses() []int {
	all := []int{99, 101}
	all = append(all, from(300, 308)...)
	all = append(all, from(400, 431)...)
	all = append(all, 451, 499)
	all = append(all, from(500, 511)...)
	return append(all, 599, 600, 999)
}

// Successes lists the codes of the 2xx.
func Successes() []int { return append(from(200, 208), 226) }

func from(first, last int) []int {
	var all []int
	for status := first; status <= last; status++ {
		all = append(all, status)
	}
	return all
}

// Body is what a reply says, and what it says that it is.
type Body struct{ Name, Kind, Text string }

// Garbled lists bodies that no success has.
func Garbled() []Body {
	return []Body{
		{"Empty", "application/json", ""},
		{"NothingAtAll", "", ""},
		{"HTML", "text/html; charset=utf-8", "<html><h1>It works!</h1></html>"},
		{"BadJSON", "application/json", `{"broken": `},
		{"JSONNull", "application/json", "null"},
		{"JSONText", "application/json", `"done"`},
		{"JSONList", "application/json", "[{}]"},
		{"JSONOfNothing", "application/json", "{}"},
		{"JSONOfSomethingElse", "application/json", `{"status":"success","header":{},"errors":[]}`},
		{"JSONTwice", "application/json", "{} {}"},
	}
}
