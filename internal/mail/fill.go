package mail

import (
	"strings"
	"unicode/utf8"
)

// fillWidth is as wide as a line of plain text may be and still be quoted in a reply without
// being broken (RFC 3676 §4.2).
const fillWidth = 72

// fill breaks the lines that are too long between their words. A link is one word, and whole. A
// broken line goes on under its first word.
func fill(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if utf8.RuneCountInString(line) > fillWidth {
			lines[i] = fillLine(line)
		}
	}
	return strings.Join(lines, "\n")
}

func fillLine(line string) string {
	rest := strings.TrimLeft(line, "- ")
	first := line[:len(line)-len(rest)]
	indent := strings.Repeat(" ", len(first))
	var filled strings.Builder
	filled.WriteString(first)
	width := len(first)
	for i, word := range strings.Fields(rest) {
		long := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+long > fillWidth:
			filled.WriteString("\n" + indent)
			width = len(indent)
		default:
			filled.WriteByte(' ')
			width++
		}
		filled.WriteString(word)
		width += long
	}
	return filled.String()
}
