package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"words":            {"Zoë's PIN – 5 tries", "Zoë's PIN – 5 tries"},
		"colours":          {"a\x1b[1;31mred\x1b[0m b", "ared b"},
		"C1 colours":       {"a\u009b31mred", "ared"},
		"a title":          {"a\x1b]0;title\x07b", "ab"},
		"a clipboard":      {"a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"},
		"an open string":   {"a\x1b]0;title", "a"},
		"a C1 string":      {"a\u009d0;title\u009cb", "ab"},
		"a device string":  {"a\x1bPq#0\x1b\\b", "ab"},
		"a reset":          {"a\x1bcb", "ab"},
		"a character set":  {"a\x1b(0b", "ab"},
		"a lone escape":    {"a\x1b", "a"},
		"lines":            {"a\nb\r\nc\td", "a b  c d"},
		"other lines":      {"a\u2028b\u2029c", "a b c"},
		"controls":         {"a\x00\x08\x7fb\u0085", "ab"},
		"writing backward": {"a\u202eb\u2066c\u200fd", "abcd"},
		"our own glue":     {"a\x1fb", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := clean(test.text); got != test.want {
				t.Errorf("clean(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

// Every text of a message is cleaned, however deep; only notes keep their lines.
func TestCleanMessage(t *testing.T) {
	t.Parallel()
	got := &dialtonev1.GetWorkflowResponse{Workflow: &dialtonev1.Workflow{
		Next:  "a\x1b[2Jb\nc",
		Notes: []*dialtonev1.Note{{Text: "a\x1b[2Jb\nc", Actor: "d\ne"}},
		Port:  &dialtonev1.Port{Refusals: []*dialtonev1.PortRefusal{{CarrierMessage: "x\x07y"}}},
	}}

	cleanMessage(got)

	want := &dialtonev1.GetWorkflowResponse{Workflow: &dialtonev1.Workflow{
		Next:  "ab c",
		Notes: []*dialtonev1.Note{{Text: "ab\nc", Actor: "d e"}},
		Port:  &dialtonev1.Port{Refusals: []*dialtonev1.PortRefusal{{CarrierMessage: "xy"}}},
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestCleanMessage_ListsOfTexts(t *testing.T) {
	t.Parallel()
	got := &dialtonev1.Preflight{Hints: []string{"a\x1b[1mb", "c\nd"}}

	cleanMessage(got)

	if diff := cmp.Diff(&dialtonev1.Preflight{Hints: []string{"ab", "c d"}}, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"a\x1b[31mb", "\x1b]0;t\x07", "\u009b1m", "\x1b\x1b[[mm", "\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text)
		if at := strings.IndexFunc(got, obeyed); at >= 0 {
			t.Errorf("clean(%q) = %q, with a character at %d that a terminal obeys", text, got, at)
		}
	})
}

// JSON means the same after what a terminal would obey was written as escapes.
func FuzzEscapeJSON(f *testing.F) {
	for _, seed := range []string{"a\u009b31mb", "\u202e\u2028", "plain", "\x7f", "\U000e0001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("the wire has valid UTF-8 only")
		}
		written, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}

		escaped := escapeJSON(string(written))

		var got string
		if err := json.Unmarshal([]byte(escaped), &got); err != nil {
			t.Fatalf("%s: %v", escaped, err)
		}
		if got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		if strings.ContainsFunc(escaped, obeyed) {
			t.Errorf("%q has a character that a terminal obeys", escaped)
		}
	})
}
