package mobile

import (
	"strings"
	"unicode/utf8"
)

// MaskEmail shows as much of an address as a person needs to recognise their own:
// "a•••@example.com".
func MaskEmail(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return "•••"
	}
	if utf8.RuneCountInString(local) < 2 {
		return "•••@" + domain
	}
	return firstRune(local) + "•••@" + domain
}

// MaskName shows the first letter of each word of a name: "A••• L•••".
func MaskName(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		words[i] = firstRune(word) + "•••"
	}
	return strings.Join(words, " ")
}

func firstRune(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || r == utf8.RuneError {
		return ""
	}
	return string(r)
}
