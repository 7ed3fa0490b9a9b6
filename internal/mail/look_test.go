package mail

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast: every colour of text has 4.5:1 on what lies behind it (WCAG 2.2 §1.4.3), in
// both schemes. The first class is the text's, the second its ground's.
func TestContrast(t *testing.T) {
	t.Parallel()
	type pair struct{ text, ground string }
	pairs := []pair{
		{"letterhead", "page"},
		{"footer", "page"},
		{"footerLink", "page"},
		{"card", "card"},
		{"number", "card"},
		{"small", "card"},
		{"link", "card"},
		{"address", "card"},
		{"footerLink", "card"},
		{"h1", "card"},
		{"codeName", "codes"},
		{"code", "codes"},
		{"buttonLink", "button"},
		{"buttonNote", "button"},
		{"qr", "qrCard"},
	}
	sheet := string(darkRules())

	for _, p := range pairs {
		light := contrast(t, colour(t, looks[p.text].style, "color"), colour(t, looks[p.ground].style, "background-color"))
		dark := contrast(t,
			colour(t, darkOf(sheet, looks[p.text])+looks[p.text].style, "color"),
			colour(t, darkOf(sheet, looks[p.ground])+looks[p.ground].style, "background-color"))
		if light < 4.5 || dark < 4.5 {
			t.Errorf("%s on %s: %.1f light and %.1f dark, want at least 4.5", p.text, p.ground, light, dark)
		}
	}
}

// TestDarkRules: each class that an element wears has a rule, and no two looks quarrel
// about one.
func TestDarkRules(t *testing.T) {
	t.Parallel()
	sheet := string(darkRules())

	rules := map[string]string{}
	for name, l := range looks {
		for _, class := range strings.Fields(l.class) {
			if !strings.Contains(sheet, "\n."+class+"{") {
				t.Errorf("%s wears the class %s, which has no rule", name, class)
			}
		}
		if l.dark == "" {
			continue
		}
		if other, taken := rules[l.class]; taken && other != l.dark {
			t.Errorf("%s gives the class %s another rule than its neighbours", name, l.class)
		}
		rules[l.class] = l.dark
	}
	for name := range map[string]bool{"qr": true, "qrCard": true} {
		if looks[name].class != "" {
			t.Errorf("%s changes in the dark; a QR code must stay black on white", name)
		}
	}
}

// darkOf collects the rules of an element's classes.
func darkOf(sheet string, l look) (declarations string) {
	for _, class := range strings.Fields(l.class) {
		_, rule, _ := strings.Cut(sheet, "\n."+class+"{")
		rule, _, _ = strings.Cut(rule, "}")
		declarations += rule
	}
	return declarations
}

func colour(t *testing.T, declarations, property string) [3]float64 {
	t.Helper()
	match := regexp.MustCompile(`(?:^|;)` + property + `:#([0-9a-f]{6})`).FindStringSubmatch(declarations)
	if match == nil {
		t.Fatalf("no %s in %q", property, declarations)
	}
	var rgb [3]float64
	for i := range rgb {
		value, err := strconv.ParseUint(match[1][2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(fmt.Errorf("read %s: %w", match[1], err))
		}
		rgb[i] = float64(value) / 255
	}
	return rgb
}

// contrast is WCAG's ratio of two colours.
func contrast(t *testing.T, a, b [3]float64) float64 {
	t.Helper()
	luminance := func(rgb [3]float64) float64 {
		for i, c := range rgb {
			if c <= 0.04045 {
				rgb[i] = c / 12.92
			} else {
				rgb[i] = math.Pow((c+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}
