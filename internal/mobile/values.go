package mobile

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Refusal says why a value is not acceptable: a reason for programs and a text for people.
// The text never repeats the value, which may be somebody's secret.
type Refusal struct {
	Reason string
	Text   string
}

// identifier is the alphabet of ids that callers choose: RFC 3986 "unreserved", so that an
// id stands in a URL, a Temporal Workflow ID and a log line as it is.
var identifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)

// ParseSubscriptionID accepts 1 to 64 characters of A-Z a-z 0-9 . _ ~ -.
func ParseSubscriptionID(s string) (SubscriptionID, *Refusal) {
	id, v := ParseID(s)
	return SubscriptionID(id), v
}

// ParseID accepts an id of a caller's choice: 1 to 64 characters of A-Z a-z 0-9 . _ ~ -.
func ParseID(s string) (string, *Refusal) {
	switch {
	case s == "":
		return "", &Refusal{"FIELD_REQUIRED", "This field is required."}
	case !identifier.MatchString(s):
		return "", &Refusal{"FIELD_MALFORMED", "An id has 1 to 64 characters out of A-Z a-z 0-9 . _ ~ - and nothing else."}
	}
	return s, nil
}

// IMEI is a device's 15-digit identity (3GPP TS 23.003 §6.2.1), check digit included.
type IMEI string

// Last4 is what screens show of an IMEI.
func (i IMEI) Last4() string { return string(i[max(0, len(i)-4):]) }

// ParseIMEI accepts 15 digits whose last is the Luhn check digit (3GPP TS 23.003 annex B).
// Spaces and hyphens are dropped. 16 digits are an IMEISV, whose software version replaces
// the check digit, and are refused with the way to find the IMEI.
func ParseIMEI(s string) (IMEI, *Refusal) {
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	switch {
	case digits == "":
		return "", &Refusal{"FIELD_REQUIRED", "The device's IMEI is required: 15 digits. Dial *#06# to see it."}
	case !allDigits(digits):
		return "", &Refusal{"IMEI_NOT_DIGITS", "An IMEI has digits only. Dial *#06# to see it."}
	case len(digits) == 16:
		return "", &Refusal{"IMEI_IS_IMEISV", "These 16 digits are an IMEISV. Give the 15 digits of the IMEI: dial *#06# to see them."}
	case len(digits) != 15:
		return "", &Refusal{"IMEI_LENGTH", "An IMEI has 15 digits. Dial *#06# to see it."}
	case strings.Count(digits, digits[:1]) == len(digits):
		return "", &Refusal{"IMEI_ALL_EQUAL", "This is a placeholder, not a device's IMEI. Dial *#06# to see the IMEI."}
	case !luhn(digits):
		return "", &Refusal{"IMEI_CHECK_DIGIT", "The check digit is wrong, so a digit was mistyped. Dial *#06# and copy the 15 digits."}
	}
	return IMEI(digits), nil
}

// luhn tells whether the last digit is the check digit of those before it (ISO/IEC 7812-1
// annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func allDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// nameLengthMax bounds a customer's name: longer ones break labels and carriers' forms.
const nameLengthMax = 100

// ParseName accepts a person's or a company's name: 1 to 100 visible characters on one
// line. Outer blanks are dropped and the text is normalised (Unicode NFC), so that the same
// name typed on two devices is the same name.
func ParseName(s string) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	name := norm.NFC.String(strings.TrimSpace(s))
	switch {
	case strings.IndexFunc(name, visible) < 0:
		return "", &Refusal{"FIELD_BLANK", "A name has a letter or a digit that can be seen. Give one, or leave the field out."}
	case utf8.RuneCountInString(name) > nameLengthMax:
		return "", &Refusal{"FIELD_TOO_LONG", "A name has at most 100 characters."}
	}
	return name, nil
}

// visible tells whether a letter or digit can be seen: the fillers of Hangul are letters that
// cannot.
func visible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0':
		return false
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// localPartMax is the longest part before the @ (RFC 5321 §4.5.3.1.1).
const localPartMax = 64

// emailLengthMax is the longest address that can be delivered (RFC 5321 §4.5.3.1.3, less
// the angle brackets).
const emailLengthMax = 254

// ParseEmail accepts one bare address, as in "ann@example.com" (RFC 5321 mailbox). Outer
// blanks are dropped; a display name, a list or a quoted local part is refused, and so is a
// local part beyond ASCII, which SendGrid does not take.
func ParseEmail(s string) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	address := strings.TrimSpace(s)
	switch {
	case address == "":
		return "", &Refusal{"FIELD_BLANK", "Only blanks were given. Give an address, or leave the field out."}
	case len(address) > emailLengthMax:
		return "", &Refusal{"FIELD_TOO_LONG", "An e-mail address has at most 254 characters."}
	case strings.Count(address, "@") > 1 || strings.ContainsAny(address, ",; \t"):
		return "", &Refusal{"EMAIL_NOT_ONE", "Give exactly one e-mail address, without name, comma or blank."}
	}
	at := strings.LastIndexByte(address, '@')
	if at > localPartMax || strings.IndexFunc(address, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return "", &Refusal{"EMAIL_NOT_VALID", "Before the @ an address has at most 64 characters, and no letters beyond A to Z."}
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || !fqdn.MatchString(address[at+1:]) {
		return "", &Refusal{"EMAIL_NOT_VALID", "This is not an e-mail address such as ann@example.com."}
	}
	return address, nil
}

// oneLine refuses what could break out of a line or turn it around: control characters,
// line and paragraph separators, bidirectional marks and other invisible format characters,
// and bytes that are not UTF-8. U+200C and U+200D stay: Persian and Indic names need them.
func oneLine(s string) *Refusal {
	if !utf8.ValidString(s) {
		return &Refusal{"FIELD_NOT_UTF8", "The text is not valid UTF-8."}
	}
	for _, r := range s {
		switch {
		case r == '\u200c' || r == '\u200d':
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return &Refusal{"FIELD_CONTROL_CHARACTER", "The text must be one line without control characters."}
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			return &Refusal{"FIELD_INVISIBLE_CHARACTER", "The text holds an invisible character, such as a right-to-left mark. Type it again without."}
		}
	}
	return nil
}
