package mobile

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseICCID(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name, given string
		want        ICCID
	}{
		{"NineteenDigits", "8901000000000000019", "8901000000000000019"},
		{"PaddedIsTheSame", "8901000000000000019F", "8901000000000000019"},
		{"PaddedInLowerCase", "8901000000000000019f", "8901000000000000019"},
		{"EighteenDigits", "890100000000000001", "890100000000000001"},
		{"EighteenDigitsPadded", "890100000000000001FF", "890100000000000001"},
		{"TwentyDigitsWithoutCheck", "89860000000000000000", "89860000000000000000"},
		{"WrongCheckDigit", "8901000000000000016", ""},
		{"WrongCheckDigitPadded", "8901000000000000016F", ""},
		{"TooShort", "89010000000000000", ""},
		{"TooLong", "890100000000000000151", ""},
		{"PaddedTooFar", "8901000000000000019FF", ""},
		{"PaddedTooLittle", "890100000000000001F", ""},
		{"PaddedTwenty", "89860000000000000000F", ""},
		{"PaddingInside", "8901F0000000000000015", ""},
		{"Letters", "89010000000000000X5", ""},
		{"OtherDigits", "٨٩٠١٠٠٠٠٠٠٠٠٠٠٠٠٠٠١", ""},
		{"Blank", " 8901000000000000019", ""},
		{"OnlyPadding", strings.Repeat("F", 20), ""},
		{"Empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseICCID(c.given)

			if got != c.want {
				t.Errorf("ParseICCID(%q) = %q, want %q", c.given, got, c.want)
			}
			if wantErr := c.want == ""; errors.Is(err, ErrICCID) != wantErr {
				t.Errorf("ParseICCID(%q): err = %v, want refused: %t", c.given, err, wantErr)
			}
		})
	}
}

// TestICCIDRoundTrip: whatever way a partner writes an ICCID, it is the same one.
func TestICCIDRoundTrip(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`89[0-9]{16}`).Draw(t, "body")
		digits := body + checkDigit(body)

		plain, err := ParseICCID(digits)
		if err != nil {
			t.Fatal(err)
		}
		padded, err := ParseICCID(digits + "F")
		if err != nil {
			t.Fatal(err)
		}

		if plain != padded || string(plain) != digits || plain.Last4() != digits[15:] {
			t.Errorf("%q and %q of %s, last four %s", plain, padded, digits, plain.Last4())
		}
		if again, err := ParseICCID(string(plain)); err != nil || again != plain {
			t.Errorf("read again: %q, %v", again, err)
		}
		// One mistyped digit never passes for another profile.
		at := rapid.IntRange(0, 18).Draw(t, "at")
		other := []byte(digits)
		other[at] = '0' + (other[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if _, err := ParseICCID(string(other)); !errors.Is(err, ErrICCID) {
			t.Errorf("%s passes for %s", other, digits)
		}
	})
}

func TestICCIDLast4(t *testing.T) {
	t.Parallel()

	if got := ICCID("8901000000000000019").Last4(); got != "0019" {
		t.Errorf("got %q, want 0019", got)
	}
	if got := ICCID("").Last4(); got != "" {
		t.Errorf("got %q of nothing, want nothing", got)
	}
}

func checkDigit(body string) string {
	for _, digit := range strings.Split("0123456789", "") {
		if luhn(body + digit) {
			return digit
		}
	}
	panic("every number has a check digit")
}
