package mail

import (
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	t.Parallel()
	words := strings.TrimSpace(strings.Repeat("fourteen words ", 6)) // 89 characters
	link := "https://my.northwind.example/" + strings.Repeat("k", 100)

	for name, c := range map[string]struct{ text, want string }{
		"ShortLinesStay":       {"  SM-DP+ address:   rsp\n\n-- \n", "  SM-DP+ address:   rsp\n\n-- \n"},
		"ALongLineIsBroken":    {words + "\n", words[:68] + "\n" + words[69:] + "\n"},
		"AnItemIsIndented":     {"- " + words, "- " + words[:68] + "\n  " + words[69:]},
		"ALinkStaysWhole":      {link + "\n", link + "\n"},
		"ALinkGetsItsOwnLine":  {"It is here: " + link + " and nowhere else", "It is here:\n" + link + "\nand nowhere else"},
		"LettersNotBytesCount": {strings.Repeat("é", fillWidth-2) + " a", strings.Repeat("é", fillWidth-2) + " a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fill(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
