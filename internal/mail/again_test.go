package mail

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const otherNotice = "01a20a56-2a16-7f32-bdd3-722671622ba8"

// parts are the top-level parts of a message, as the very bytes that they are.
func parts(t *testing.T, m Message) map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(m.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string, len(raw))
	for name, part := range raw {
		all[name] = string(part)
	}
	return all
}

func again(t *testing.T, m Message, noticeID, to string) Message {
	t.Helper()
	repeated, err := m.Again(noticeID, to)
	if err != nil {
		t.Fatal(err)
	}
	return repeated
}

func TestAgain(t *testing.T) {
	t.Parallel()

	t.Run("AsItWas", func(t *testing.T) {
		t.Parallel()
		first := compose(t, ported(t))
		if same := again(t, first, first.NoticeID(), ""); !bytes.Equal(first.Bytes(), same.Bytes()) {
			t.Errorf("-first +same\n%s", cmp.Diff(parts(t, first), parts(t, same)))
		}
	})

	t.Run("ToTheSameAddress", func(t *testing.T) {
		t.Parallel()
		first := compose(t, newLine(t))
		second := again(t, first, otherNotice, "")
		checkOnlyDiffer(t, first, second, "custom_args")
		if second.NoticeID() != otherNotice || second.ActivationID() != first.ActivationID() || second.To() != first.To() {
			t.Errorf("notice %s of %s to %s", second.NoticeID(), second.ActivationID(), second.To())
		}
	})

	t.Run("ToAnother", func(t *testing.T) {
		t.Parallel()
		first := compose(t, newLine(t))
		second := again(t, first, otherNotice, "work@example.org")
		checkOnlyDiffer(t, first, second, "custom_args", "personalizations")
		if second.To() != "work@example.org" || first.To() != newLine(t).To || first.NoticeID() != newLine(t).NoticeID {
			t.Errorf("to %s, and the first to %s as %s", second.To(), first.To(), first.NoticeID())
		}
		if _, err := ParseMessage(second.Bytes()); err != nil {
			t.Errorf("it cannot be read back: %v", err)
		}
	})

	t.Run("Refuses", func(t *testing.T) {
		t.Parallel()
		first := compose(t, newLine(t))
		for name, c := range map[string]struct{ id, to string }{
			"NoID":       {"", ""},
			"ABadID":     {"a b", ""},
			"ABadTo":     {otherNotice, "nobody"},
			"TwoTo":      {otherNotice, "a@example.com, b@example.com"},
			"ANamedTo":   {otherNotice, "Eve <eve@example.com>"},
			"AnotherBcc": {otherNotice, "a@example.com\r\nBcc: eve@example.com"},
		} {
			if m, err := first.Again(c.id, c.to); !errors.Is(err, ErrFields) || m.Bytes() != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := (Message{}).Again(otherNotice, "a@example.com"); err == nil {
			t.Error("no message was sent again")
		}
	})
}

// checkOnlyDiffer: all but the named parts are the same to the byte.
func checkOnlyDiffer(t *testing.T, first, second Message, names ...string) {
	t.Helper()
	was, is := parts(t, first), parts(t, second)
	for _, name := range names {
		if was[name] == is[name] {
			t.Errorf("%s is the same", name)
		}
		delete(was, name)
		delete(is, name)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("-first +second\n%s", diff)
	}
	for _, name := range []string{"content", "attachments", "subject", "from"} {
		if was[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestCarries(t *testing.T) {
	t.Parallel()
	m := newLine(t)
	message := compose(t, m)
	if !message.Carries(m.Code) || message.Carries(codeOf(t, "smdp.example.com", "ANOTHER-1")) {
		t.Error("it does not know its code")
	}
}
