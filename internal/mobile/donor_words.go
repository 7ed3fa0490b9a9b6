package mobile

import (
	"cmp"
	"fmt"
	"strings"
)

// donorWords are the donor's own words, as a question to its customer uses them. Without a
// donor, or for a kind of line that its row is not about, they are general ones: nobody is
// told to dial *PORT from a landline.
type donorWords struct {
	// donor stands inside a sentence: "AT&T", "your old provider".
	donor string
	// number is the ported one: "the number (212) 736-5000", "this number".
	number string
	row    Donor
}

// wordsFor chooses the words.
func wordsFor(facts PortFacts) donorWords {
	words := donorWords{donor: facts.Donor.Name, number: "this number", row: facts.Donor}
	if facts.Number != "" {
		words.number = "the number " + NationalNumber(facts.Number)
	}
	if facts.Donor.Code == "" || facts.Donor.Code == DonorOther {
		words.donor = "your old provider"
	}
	if facts.Donor.Code == "" || !facts.Donor.serves(facts.NumberType) {
		words.row = generalDonor(words.donor, facts.NumberType)
	}
	words.row.PIN.Name = cmp.Or(words.row.PIN.Name, "transfer PIN")
	return words
}

// serves tells whether the row's words are about this kind of line. One that is not known yet
// is taken for the usual one.
func (d Donor) serves(t NumberType) bool {
	return d.Service == "" || t == "" || d.Service == t
}

// generalDonor is what is true of any company for this kind of line.
func generalDonor(name string, t NumberType) Donor {
	general := Donor{
		PIN: DonorPIN{
			Name:  "transfer PIN",
			HowTo: "Ask " + name + " for the PIN to move your number away.",
		},
		Lock:    DonorLock{HowTo: "Ask " + name + " to take the lock off this number."},
		Account: DonorAccount{Where: "It stands on your bill from " + name + "."},
	}
	switch t {
	case NumberLandline, NumberVoIP:
		general.Billing = DonorPostpaid
		general.PIN = DonorPIN{
			Name: "account PIN", Standing: true,
			HowTo: "Ask " + name + " which PIN your phone account has. Most have none until you set one.",
		}
		general.Account.Where = "It stands on your phone bill from " + name + "."
	case NumberWireless:
	}
	return general
}

// fill puts the words into a sentence.
func (w donorWords) fill(sentence string) string {
	return strings.NewReplacer(
		"{donor}", w.donor, "{Donor}", capital(w.donor), "{number}", w.number, "{Number}", capital(w.number),
		"{pin}", w.row.PIN.Name, "{new pin}", w.newPIN(), "{lifetime}", w.lapsed(), "{lock}", w.lockNamed(),
		"{on record}", w.onRecord(),
	).Replace(sentence)
}

// onRecord is where the customer reads what the donor knows: prepaid customers have no bill.
func (w donorWords) onRecord() string {
	switch w.row.Billing {
	case DonorPrepaid:
		return "in your account at " + w.donor
	case DonorPostpaid:
		return "on your last bill from " + w.donor
	case DonorEither:
	}
	return "on your last bill from " + w.donor + " or in your account there"
}

// newPIN asks for a PIN that the donor will take.
func (w donorWords) newPIN() string {
	if w.row.PIN.Standing {
		return fmt.Sprintf("Please check with %s which one is right, and enter that.", w.donor)
	}
	return fmt.Sprintf("Please get a new one from %s and enter it here soon.", w.donor)
}

// lapsed is the lifetime as an aside: ": it is good for 4 days".
func (w donorWords) lapsed() string {
	if lasts := w.lasts(); lasts != "" {
		return ": it is good for " + lasts
	}
	return ""
}

// lasts is how long a PIN is taken, in words: "4 days", "about 7 days". Empty when
// it is not known or does not end.
func (w donorWords) lasts() string {
	switch {
	case w.row.PIN.Hours == 0:
		return ""
	case w.row.PIN.HoursSure:
		return fmt.Sprintf("%d days", w.row.PIN.Hours/24)
	}
	return fmt.Sprintf("about %d days", w.row.PIN.Hours/24)
}

// lockNamed is the lock's name as an aside: " (Number Lock)".
func (w donorWords) lockNamed() string {
	if w.row.Lock.Name == "" {
		return ""
	}
	return " (" + w.row.Lock.Name + ")"
}

// pinHint tells how to get the PIN, what it looks like and how long it lasts.
func (w donorWords) pinHint() string {
	hint := []string{w.row.PIN.HowTo}
	if w.row.PIN.Looks != "" {
		hint = append(hint, "It usually has "+w.row.PIN.Looks+".")
	}
	if lasts := w.lasts(); lasts != "" {
		hint = append(hint, "It is good for "+lasts+".")
	}
	return sentences(hint...)
}

// accountHint tells where the account number stands and what it looks like.
func (w donorWords) accountHint() string {
	hint := []string{w.row.Account.Where}
	if w.row.Account.Looks != "" && !strings.Contains(w.row.Account.Where, "ten-digit") {
		hint = append(hint, "It usually has "+w.row.Account.Looks+".")
	}
	return sentences(hint...)
}

// lockHint tells how to take the lock off.
func (w donorWords) lockHint() string { return w.row.Lock.HowTo }

// lockWarning tells of a lock that may be on; empty where none is known.
func (w donorWords) lockWarning() string {
	if w.row.Lock.Name == "" {
		return ""
	}
	return fmt.Sprintf("If %s is on at %s, turn it off first. %s", theName(w.row.Lock.Name), w.donor, w.row.Lock.HowTo)
}

// theName puts an article before what is no proper name: "the number lock", "Number Lock".
func theName(name string) string {
	if capital(name) == name {
		return name
	}
	return "the " + name
}

func sentences(all ...string) string {
	return strings.Join(strings.Fields(strings.Join(all, " ")), " ")
}

func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }
