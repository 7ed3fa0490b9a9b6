package mobile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ParseText accepts what a person writes in one line: 1 to lengthMax visible characters.
// Outer blanks are dropped and the text is normalised (Unicode NFC).
func ParseText(s string, lengthMax int) (string, *Refusal) {
	if v := oneLine(s); v != nil {
		return "", v
	}
	text := norm.NFC.String(strings.TrimSpace(s))
	switch {
	case text == "":
		return "", &Refusal{"FIELD_REQUIRED", "This field is required."}
	case utf8.RuneCountInString(text) > lengthMax:
		return "", &Refusal{"FIELD_TOO_LONG", fmt.Sprintf("This field has at most %d characters.", lengthMax)}
	}
	return text, nil
}
