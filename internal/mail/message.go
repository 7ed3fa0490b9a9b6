package mail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/mobile"
)

// The keys of our two opaque ids in custom_args.
const (
	argNotice     = "notice_id"
	argActivation = "activation_id"
)

// Message is a finished mail: the very bytes of a SendGrid v3 send. It holds an activation
// code or a link that is as good as a key, and must be sealed at rest; printing it shows
// nothing.
type Message struct {
	body []byte
	head sgmail.SGMailV3
}

func newMessage(mail *sgmail.SGMailV3) (Message, error) {
	body, err := json.Marshal(mail)
	if err != nil {
		return Message{}, fmt.Errorf("write the message: %w", err)
	}
	return ParseMessage(body)
}

// ParseMessage reads what Bytes gave. It refuses with ErrMessage whatever is not one
// message to one recipient with a text part, an HTML part, a subject and our two ids.
func ParseMessage(body []byte) (Message, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	m := Message{body: slices.Clone(body)}
	if err := decoder.Decode(&m.head); err != nil || decoder.More() {
		return Message{}, ErrMessage // the cause may quote the message
	}
	if !whole(m.head) {
		return Message{}, ErrMessage
	}
	return m, nil
}

// Again is the same mail as another notice: what the customer reads and scans is the same to
// the byte. It goes to another address if one is given. The id must be one of ours and the
// address a bare one, or it refuses with ErrFields.
func (m Message) Again(noticeID, to string) (Message, error) {
	again, err := ParseMessage(m.body) // a copy: the head holds pointers
	if err != nil {
		return Message{}, err
	}
	var c checks
	again.head.CustomArgs[argNotice] = take(&c, "notice_id", noticeID, mobile.ParseID)
	again.head.Personalizations[0].To[0].Address = take(&c, "to", cmp.Or(to, m.To()), mobile.ParseEmail)
	if err := c.refusal(); err != nil {
		return Message{}, err
	}
	return newMessage(&again.head)
}

// whole says whether all that the methods of Message reach for is there.
func whole(h sgmail.SGMailV3) bool {
	if len(h.Personalizations) != 1 || h.Personalizations[0] == nil || h.From == nil || h.Subject == "" {
		return false
	}
	to := h.Personalizations[0].To
	if len(to) != 1 || to[0] == nil || len(h.Content) != 2 || slices.Contains(h.Content, nil) {
		return false
	}
	_, refused := mobile.ParseEmail(to[0].Address)
	return refused == nil && h.CustomArgs[argNotice] != "" && h.CustomArgs[argActivation] != ""
}

// Bytes are what is stored and what is sent, the same each time.
func (m Message) Bytes() []byte { return slices.Clone(m.body) }

// To is the recipient's address.
func (m Message) To() string { return m.head.Personalizations[0].To[0].Address }

// Subject is the mail's title.
func (m Message) Subject() string { return m.head.Subject }

// Text is the plain-text part.
func (m Message) Text() string { return m.head.Content[0].Value }

// HTML is the HTML part, whose images are named by content id.
func (m Message) HTML() string { return m.head.Content[1].Value }

// Carries tells whether it is this code that the mail gives out. The text part has it on a
// line of its own.
func (m Message) Carries(code mobile.ActivationCode) bool {
	return strings.Contains(m.Text(), " "+code.LPA()+"\n")
}

// NoticeID is our id of the notice, as events bring it back.
func (m Message) NoticeID() string { return m.head.CustomArgs[argNotice] }

// ActivationID is the activation that the notice belongs to.
func (m Message) ActivationID() mobile.ActivationID {
	return mobile.ActivationID(m.head.CustomArgs[argActivation])
}

// String hides the message: it holds a secret.
func (m Message) String() string { return "[mail message]" }

// GoString hides the message from %#v.
func (m Message) GoString() string { return "[mail message]" }

// Format hides the message from every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[mail message]")) }
