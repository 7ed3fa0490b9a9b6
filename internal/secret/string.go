package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// mask stands wherever a secret would.
const mask = "***"

// String is a text that shows as *** wherever it is printed, logged or marshalled, also
// inside other values. Reveal alone gives the text. Its zero value is the empty text.
type String struct {
	_ [0]func() // Not comparable with ==, whose time would tell: use Equal.
	// The text is behind a pointer, because fmt reads unexported fields of a struct that
	// holds this one without asking our methods: it finds an address.
	text *string
}

// New hides the text.
func New(text string) String { return String{text: &text} }

// Reveal gives the text, to be handed to whom it is meant for and to nobody else.
func (s String) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty says that there is no text.
func (s String) Empty() bool { return s.Reveal() == "" }

// Equal compares in a time that does not tell where the texts differ.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String gives ***.
func (s String) String() string { return mask }

// GoString gives ***.
func (s String) GoString() string { return mask }

// Format gives ***, whatever the verb.
func (s String) Format(f fmt.State, _ rune) { hide(f) }

// LogValue gives ***.
func (s String) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText gives ***.
func (s String) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON gives "***".
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// UnmarshalText takes the text as it is. Settings and JSON are read through it.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}

// hide ignores what a failing writer says, as fmt does.
func hide(w io.Writer) { _, _ = io.WriteString(w, mask) }
