package mail

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessage(t *testing.T) {
	t.Parallel()

	t.Run("IsReadBackAsItWas", func(t *testing.T) {
		t.Parallel()
		m := newLine(t)
		sent := compose(t, m)

		read, err := ParseMessage(sent.Bytes())
		if err != nil {
			t.Fatal(err)
		}

		type content struct{ Bytes, To, Subject, Text, HTML, NoticeID, ActivationID string }
		contentOf := func(m Message) content {
			return content{string(m.Bytes()), m.To(), m.Subject(), m.Text(), m.HTML(), m.NoticeID(), string(m.ActivationID())}
		}
		if diff := cmp.Diff(contentOf(sent), contentOf(read)); diff != "" {
			t.Errorf("(-composed +read):\n%s", diff)
		}
		if read.To() != m.To || read.Subject() != ActivationSubject || read.NoticeID() != m.NoticeID || read.ActivationID() != m.ActivationID {
			t.Errorf("it reads as %+v", contentOf(read))
		}
	})

	t.Run("HidesItsSecretFromPrint", func(t *testing.T) {
		t.Parallel()
		message := compose(t, newLine(t))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, message); got != "[mail message]" {
				t.Errorf("%s prints %q", verb, got)
			}
		}
	})

	t.Run("CannotBeChangedFromOutside", func(t *testing.T) {
		t.Parallel()
		message := compose(t, newLine(t))
		clear(message.Bytes())
		if message.Bytes()[0] != '{' {
			t.Error("clearing a copy cleared the message")
		}
	})
}

func TestParseMessageRefuses(t *testing.T) {
	t.Parallel()
	whole := string(compose(t, newLine(t)).Bytes())

	for name, body := range map[string]string{
		"Nothing":       "",
		"Null":          "null",
		"AList":         "[]",
		"AnEmptyOne":    "{}",
		"ATornOne":      whole[:len(whole)-1],
		"Two":           whole + whole,
		"AnUnknownOne":  strings.Replace(whole, `"subject"`, `"sujet"`, 1),
		"NoSubject":     strings.Replace(whole, `"subject":"Mobile Activation"`, `"subject":""`, 1),
		"NoNoticeID":    strings.Replace(whole, `"notice_id"`, `"id"`, 1),
		"NoOneToReadIt": strings.Replace(whole, `"to":[{"name":"Ada Lovelace","email":"ada@example.com"}]`, `"to":[null]`, 1),
		"TwoToReadIt":   strings.Replace(whole, `"to":[`, `"to":[{"email":"eve@example.com"},`, 1),
		"NoPart":        strings.Replace(whole, `"content":[`, `"content":[null,`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if body == whole {
				t.Fatal("the case spoils nothing")
			}
			if _, err := ParseMessage([]byte(body)); !errors.Is(err, ErrMessage) || err.Error() != ErrMessage.Public {
				t.Errorf("got %v, want %v", err, ErrMessage)
			}
		})
	}
}
