package mobile

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// DonorCode names a donor: a row of the donor table, as in "att".
type DonorCode string

// DonorOther stands for every company that the table does not list.
const DonorOther DonorCode = "other"

// Donor is what we know of one company that numbers leave. All of it but the PIN's lifetime
// is for people: it becomes the words of a question, and nothing is refused because of it,
// for donors change their ways more often than we do.
type Donor struct {
	Code DonorCode `json:"code"`
	// Name is the company's, as its customers write it.
	Name string `json:"name"`
	// Aliases are other names that mean the same company; see FindDonor.
	Aliases []string `json:"aliases"`
	// Service is the kind of line that the row's words are about, where the company has
	// others too: nothing that AT&T tells its mobile customers holds for its landlines.
	// Empty: any.
	Service NumberType   `json:"service"`
	Billing DonorBilling `json:"billing"`
	PIN     DonorPIN     `json:"pin"`
	Lock    DonorLock    `json:"lock"`
	Account DonorAccount `json:"account"`
	// Remark is one more sentence that its customers must know before they leave; may be
	// empty.
	Remark string `json:"remark"`
	// Sources say where the row comes from.
	Sources []DonorSource `json:"sources"`
	// Unconfirmed names the facts of the row that rest on one weak source or on none, for
	// staff: "pin.hours: …".
	Unconfirmed []string `json:"unconfirmed"`
}

// DonorBilling is when the donor's customers pay; who pays ahead, or nothing, gets no bill.
type DonorBilling string

// The ways to pay. Where a donor has both and they differ, it has two rows.
const (
	DonorPostpaid DonorBilling = "POSTPAID"
	DonorPrepaid  DonorBilling = "PREPAID"
	DonorEither   DonorBilling = "EITHER"
)

// DonorPIN is the code by which the donor knows that its customer wants to leave.
type DonorPIN struct {
	// Name is the donor's own word: "Number Transfer PIN". Empty: it has none.
	Name string `json:"name"`
	// Form is a regular expression, and Looks the same in words ("6 digits"): hints only,
	// never a reason to refuse. Empty when not known.
	Form  string `json:"form"`
	Looks string `json:"looks"`
	// HowTo tells the customer in a sentence how to get it.
	HowTo string `json:"how_to"`
	// Standing tells that it is a PIN of the account, which stays until it is changed; the
	// others are given out for the purpose.
	Standing bool `json:"standing"`
	// Hours is how long it is taken after it was made, for consumers; 0 when that is not
	// known, or it is a standing one. It is at least 48: of a PIN's birth we may know the day
	// alone, and count from its start, so that a shorter life could be over before it began.
	Hours int `json:"hours"`
	// HoursSure tells that the donor itself, or who deals with it daily, says so. Without it
	// people read "about".
	HoursSure bool `json:"hours_sure"`
}

// DonorLock is what keeps a number from leaving until the customer takes it off.
type DonorLock struct {
	// Name is the donor's own word: "Number Lock". Empty when none is known.
	Name string `json:"name"`
	// HowTo tells the customer in a sentence how to take it off.
	HowTo string `json:"how_to"`
}

// DonorAccount is the account number at the donor.
type DonorAccount struct {
	// Form and Looks are hints, as for the PIN.
	Form  string `json:"form"`
	Looks string `json:"looks"`
	// Where tells the customer in a sentence where it stands.
	Where string `json:"where"`
}

// DonorSource is where a fact was read, and the date of the fact: the day on which the
// source says that it was so, else the day on which it was read.
type DonorSource struct {
	Text string `json:"text"`
	Date string `json:"date"`
}

//go:embed donors.json
var donorsJSON []byte

// Donors lists the donor table in the order in which a form offers it; DonorOther is last.
func Donors() []Donor {
	decoder := json.NewDecoder(bytes.NewReader(donorsJSON))
	decoder.DisallowUnknownFields()
	var donors []Donor
	if err := decoder.Decode(&donors); err != nil {
		panic("mobile: donors.json: " + err.Error()) //nolint:forbidigo // It is part of the program, and a test reads it.
	}
	return donors
}

// donors is the table, read once: it never changes.
var donors = Donors()

// DonorByCode gives the row with this code.
func DonorByCode(code DonorCode) (Donor, bool) {
	i := slices.IndexFunc(donors, func(d Donor) bool { return d.Code == code })
	if i < 0 {
		return Donor{}, false
	}
	return donors[i], true
}

// FindDonor gives the row that a person means by a name: its code, its name or an alias,
// whatever the case, the blanks and the punctuation. A name that the table does not have is
// not found, and neither is a blank one; that it is some other company must be said
// ("other"), since a mistyped donor would be asked the wrong questions.
func FindDonor(name string) (Donor, bool) {
	key := donorKey(name)
	if key == "" {
		return Donor{}, false
	}
	i := slices.IndexFunc(donors, func(d Donor) bool { return slices.Contains(d.keys(), key) })
	if i < 0 {
		return Donor{}, false
	}
	return donors[i], true
}

// keys are what the row is found by.
func (d Donor) keys() []string {
	keys := []string{donorKey(string(d.Code)), donorKey(d.Name)}
	for _, alias := range d.Aliases {
		keys = append(keys, donorKey(alias))
	}
	return keys
}

// donorKey keeps of a name its letters and digits, in lower case; an ampersand is an "and".
func donorKey(name string) string {
	name = strings.ReplaceAll(norm.NFKC.String(name), "&", "and")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// PINLifetime is how long the donor takes a PIN; 0 when it is not known or does not end.
func (d Donor) PINLifetime() time.Duration { return time.Duration(d.PIN.Hours) * time.Hour }

// PINExpires is when the donor no longer takes a PIN that was made then; zero when it is not
// known or never. PortingInfo.PINMade says when a PIN was made.
func (d Donor) PINExpires(made time.Time) time.Time {
	if d.PIN.Hours == 0 || made.IsZero() {
		return time.Time{}
	}
	return made.Add(d.PINLifetime())
}
