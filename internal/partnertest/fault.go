package partnertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// Kind says how a call goes wrong.
type Kind string

// The kinds. "Applied" means that the partner has acted and journalled it before the caller
// notices anything.
const (
	// Slow waits Delay (0: until the fault is cleared), then answers as usual. It applies
	// also when the caller has given up meanwhile, as a slow partner does.
	Slow Kind = "slow"
	// Status answers with Fault.Status and RetryAfter; not applied unless Applied is set.
	Status Kind = "status"
	// Hang never answers: it holds the connection until the caller goes or the fault is
	// cleared; not applied unless Applied is set.
	Hang Kind = "hang"
	// DropBefore closes the connection without an answer; not applied.
	DropBefore Kind = "drop_before"
	// DropAfter resets the connection without an answer; applied.
	DropAfter Kind = "drop_after"
	// Partial sends the first half of the answer and resets the connection; applied.
	Partial Kind = "partial"
	// BadJSON keeps the status and sends a body that cannot be parsed; applied.
	BadJSON Kind = "bad_json"
	// Empty2xx keeps the status and sends no body; applied.
	Empty2xx Kind = "empty_2xx"
	// Huge keeps the status and sends 10 MB of valid JSON; applied.
	Huge Kind = "huge"
	// Redirect answers 307 to another address; not applied unless Applied is set.
	Redirect Kind = "redirect"
)

// applies says for each kind whether the partner acts first whatever Fault.Applied says.
var applies = map[Kind]bool{
	Slow: true, Status: false, Hang: false, DropBefore: false, DropAfter: true,
	Partial: true, BadJSON: true, Empty2xx: true, Huge: true, Redirect: false,
}

// Fault is one order to let calls go wrong. Its JSON form has the names in lower case, and
// durations as text: {"match":"POST /v1/lines","kind":"status","status":503,"retry_after":"2s"}.
type Fault struct {
	// ID names the fault; Set gives one when it is empty.
	ID string
	// Match is "METHOD /path", or "/path" for any method, or empty for every call. In the
	// path, * stands for one segment or a part of it, and a final /** for all below.
	Match string
	// Kind says what happens.
	Kind Kind
	// Times is how many calls it bites; 0 means each call until it is cleared.
	Times int
	// Delay is Slow's wait. With any other kind the call is held for so long first.
	Delay time.Duration
	// Status is the reply of kind Status: 400 to 599.
	Status int
	// RetryAfter is sent as whole seconds in Retry-After when it is not 0.
	RetryAfter time.Duration
	// Applied lets the partner act before a Status, Hang or Redirect.
	Applied bool
	// Hits is how many calls it has bitten; set by Faults, ignored by Set.
	Hits int
}

// faultJSON is Fault at the wire.
type faultJSON struct {
	ID         string `json:"id,omitempty"`
	Match      string `json:"match,omitempty"`
	Kind       Kind   `json:"kind"`
	Times      int    `json:"times,omitempty"`
	Delay      string `json:"delay,omitempty"`
	Status     int    `json:"status,omitempty"`
	RetryAfter string `json:"retry_after,omitempty"`
	Applied    bool   `json:"applied,omitempty"`
	Hits       int    `json:"hits"`
}

// MarshalJSON writes durations as text.
func (f Fault) MarshalJSON() ([]byte, error) {
	wire := faultJSON{
		ID: f.ID, Match: f.Match, Kind: f.Kind, Times: f.Times,
		Status: f.Status, Applied: f.Applied, Hits: f.Hits,
	}
	if f.Delay != 0 {
		wire.Delay = f.Delay.String()
	}
	if f.RetryAfter != 0 {
		wire.RetryAfter = f.RetryAfter.String()
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads what MarshalJSON writes, and refuses durations that are not text of
// Go's form ("1.5s").
func (f *Fault) UnmarshalJSON(data []byte) error {
	var wire faultJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*f = Fault{
		ID: wire.ID, Match: wire.Match, Kind: wire.Kind, Times: wire.Times,
		Status: wire.Status, Applied: wire.Applied, Hits: wire.Hits,
	}
	for _, d := range []struct {
		text string
		into *time.Duration
	}{{wire.Delay, &f.Delay}, {wire.RetryAfter, &f.RetryAfter}} {
		if d.text == "" {
			continue
		}
		parsed, err := time.ParseDuration(d.text)
		if err != nil {
			return err
		}
		*d.into = parsed
	}
	return nil
}

// check refuses a fault that could not do what it says.
func (f Fault) check() error {
	if _, known := applies[f.Kind]; !known {
		return fmt.Errorf("fault kind %q is not known", f.Kind)
	}
	if f.Kind == Status && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("fault of kind status wants a status from 400 to 599, not %d", f.Status)
	}
	if f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("fault has a negative number")
	}
	_, pattern := f.split()
	if _, err := path.Match(strings.TrimSuffix(pattern, "/**"), "/"); err != nil || (pattern != "" && pattern[0] != '/') {
		return fmt.Errorf("fault match %q is not \"METHOD /path\" or \"/path\"", f.Match)
	}
	return nil
}

func (f Fault) split() (method, pattern string) {
	method, pattern, both := strings.Cut(strings.TrimSpace(f.Match), " ")
	if !both {
		return "", method
	}
	return strings.ToUpper(method), strings.TrimSpace(pattern)
}

// matches says whether the fault is meant for this call.
func (f Fault) matches(r *http.Request) bool {
	method, pattern := f.split()
	if method != "" && method != r.Method {
		return false
	}
	if pattern == "" {
		return true
	}
	above, deep := strings.CutSuffix(pattern, "/**")
	at := r.URL.Path
	if deep {
		segments := strings.Split(at, "/")
		if n := strings.Count(above, "/") + 1; len(segments) > n {
			at = strings.Join(segments[:n], "/")
		}
		pattern = above
	}
	ok, err := path.Match(pattern, at)
	return err == nil && ok
}
