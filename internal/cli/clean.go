package cli

import (
	"regexp"
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// escapes are the sequences that terminals obey: CSI (colours, cursor), OSC, DCS and their
// like (titles, clipboard, links), and two-character ones. Each with ESC or as one C1
// character.
var escapes = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]` +
	`|(?:\x1b[\]PX^_]|[\x{9d}\x{90}\x{98}\x{9e}\x{9f}])[^\x07\x1b\x{9c}]*(?:\x07|\x1b\\|\x{9c}|$)` +
	`|\x1b[ -/]*[0-~]`)

// notes may have lines of their own; all else is one line.
const notes = protoreflect.FullName("dialtone.v1.Note.text")

// clean takes out of a text what a terminal would obey, and makes it one line.
func clean(text string) string { return cleanLines(text, false) }

func cleanLines(text string, lines bool) string {
	text = escapes.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines:
			return r
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case obeyed(r):
			return -1
		}
		return r
	}, text)
}

// obeyed are the characters that change how others are shown: controls, and the marks that
// turn the direction of writing.
func obeyed(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case r == '\u200e' || r == '\u200f' || r == '\u061c' || r == '\ufeff' || r == '\u2028' || r == '\u2029':
		return true
	case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

// cleanMessage cleans every text in a message.
func cleanMessage(message proto.Message) { cleanFields(message.ProtoReflect()) }

func cleanFields(message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			// The schema has none.
		case field.IsList():
			for i := range value.List().Len() {
				if cleaned, ok := cleanValue(field, value.List().Get(i)); ok {
					value.List().Set(i, cleaned)
				}
			}
		default:
			if cleaned, ok := cleanValue(field, value); ok {
				message.Set(field, cleaned)
			}
		}
		return true
	})
}

// cleanValue gives the clean text, or goes into a message and gives nothing.
func cleanValue(field protoreflect.FieldDescriptor, value protoreflect.Value) (protoreflect.Value, bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(cleanLines(value.String(), field.FullName() == notes)), true
	case protoreflect.MessageKind:
		cleanFields(value.Message())
	default:
	}
	return protoreflect.Value{}, false
}
