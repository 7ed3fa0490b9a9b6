package mail

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

// NoticeMail is what every mail but *Mobile Activation* is made of. There is no field for a
// PIN or an account number, and there must never be one: what the customer has told us about
// the old account does not leave by mail.
type NoticeMail struct {
	// NoticeID and ActivationID are opaque ids of ours (mobile.ParseID). They stand in
	// custom_args and come back with every event.
	NoticeID     string
	ActivationID mobile.ActivationID
	// Tenant gives what it gives to an ActivationMail; TimeZone to the kinds with a Deadline.
	Tenant mobile.Tenant
	// CustomerName may be empty.
	CustomerName string
	// To is the one recipient's bare address.
	To string
	// Kind is any but mobile.NoticeActivation.
	Kind mobile.NoticeKind
	// Number is the number that moves, in E.164. DETAILS_NEEDED, its REMINDER and NUMBER_MOVED
	// need it; elsewhere empty means that the mail is about a new line.
	Number string
	// DonorName is how customers know the company that has Number, as in "AT&T"; empty reads
	// as "your old provider".
	DonorName string
	// Message says in one line what was wrong and what to do, or why it ended. ACTION_REQUIRED
	// needs it. A REMINDER without it is one of DETAILS_NEEDED, with it one of ACTION_REQUIRED.
	// Else only DID_NOT_WORK_OUT shows it.
	Message string
	// Hint is one line of what this donor's customers must know for the question: how to get
	// the PIN, how long it lasts. May be empty.
	Hint string
	// Ask are the labels of what is asked, in the order of the form. DETAILS_NEEDED needs one
	// at least, and a REMINDER either them or Message.
	Ask []string
	// Deadline is until when the question stands. DETAILS_NEEDED, ACTION_REQUIRED and REMINDER
	// need it; the others do not read it.
	Deadline time.Time
	// AttemptsLeft is how many more times the question can be answered. ACTION_REQUIRED and its
	// REMINDER say it when it is one or two.
	AttemptsLeft int
	// PortalLink leads to the customer's own page; https, or http on a loopback address.
	PortalLink string
}

// Subject is the subject of every mail of this kind: nothing of the customer's may stand in a
// header. It is empty for a kind that is none.
func Subject(kind mobile.NoticeKind) string {
	switch kind {
	case mobile.NoticeDetailsNeeded:
		return "We need a few details to bring your number"
	case mobile.NoticeActionRequired:
		return "Action required: your mobile activation"
	case mobile.NoticeReminder:
		return "Reminder: your mobile activation is waiting for you"
	case mobile.NoticeActivation:
		return ActivationSubject
	case mobile.NoticeDidNotWorkOut:
		return "Your mobile activation did not work out"
	case mobile.NoticePortalLink:
		return "Your new link"
	case mobile.NoticeNumberMoved:
		return "Your number has moved"
	}
	return ""
}

// Compose writes the mail: a plain-text and an HTML part with the same content, and nothing
// attached. It is a pure function: the same fields give the same bytes. What cannot be written
// is refused with ErrFields, all faults at once.
func (m NoticeMail) Compose() (Message, error) {
	n, err := m.notice()
	if err != nil {
		return Message{}, err
	}
	body := n.envelope()
	if err := noticeForm.addParts(body, noticeView{letter: n.letter, words: n.words(m.Kind)}); err != nil {
		return Message{}, err
	}
	return newMessage(body)
}

// noticeView is what the templates see.
type noticeView struct {
	letter
	words
}

// notice is a NoticeMail whose fields have been checked, in the form in which they are shown.
type notice struct {
	letter
	number       string // (212) 555-0123; empty for a new line
	donor        string
	message      string
	hint         string
	ask          []string
	until        string // Tuesday, March 3 at 10:00 AM EST; empty when nothing is asked
	attemptsLeft int
}

// textMax is how many characters a sentence or two to the customer may have.
const textMax = 2000

// notice checks every field.
func (m NoticeMail) notice() (notice, error) {
	var c checks
	n := notice{
		letter: c.letter(Subject(m.Kind), letterFields{
			noticeID: m.NoticeID, activationID: m.ActivationID, tenant: m.Tenant,
			customerName: m.CustomerName, to: m.To, portalLink: m.PortalLink,
		}),
		number:       optional(&c, "number", m.Number, nationalForm),
		donor:        cmp.Or(optional(&c, "donor_name", m.DonorName, mobile.ParseName), "your old provider"),
		message:      optional(&c, "message", m.Message, sentences),
		hint:         optional(&c, "hint", m.Hint, sentences),
		attemptsLeft: m.AttemptsLeft,
	}
	for i, label := range m.Ask {
		n.ask = append(n.ask, take(&c, fmt.Sprintf("ask[%d]", i), label, mobile.ParseName))
	}
	if asks(m.Kind) {
		n.until = c.moment("deadline", m.Deadline, m.Tenant.TimeZone)
	}
	m.require(&c)
	if err := c.refusal(); err != nil {
		return notice{}, err
	}
	return n, nil
}

// asks tells whether a mail of this kind is about a question that stands until a deadline.
func asks(kind mobile.NoticeKind) bool {
	return kind == mobile.NoticeDetailsNeeded || kind == mobile.NoticeActionRequired || kind == mobile.NoticeReminder
}

// require notes what a mail of this kind cannot do without.
func (m NoticeMail) require(c *checks) {
	missing := func(field, value string) {
		if value == "" {
			c.refuse(field, "FIELD_REQUIRED", "A mail of this kind needs this field.")
		}
	}
	switch m.Kind {
	case mobile.NoticeDetailsNeeded:
		missing("number", m.Number)
		missing("ask", strings.Join(m.Ask, " "))
	case mobile.NoticeActionRequired:
		missing("message", m.Message)
	case mobile.NoticeReminder:
		if m.Message == "" {
			missing("number", m.Number)
			missing("message", strings.Join(m.Ask, " "))
		}
	case mobile.NoticeNumberMoved:
		missing("number", m.Number)
	case mobile.NoticeDidNotWorkOut, mobile.NoticePortalLink:
	case mobile.NoticeActivation:
		c.refuse("kind", "NOTICE_KIND_NOT_VALID", "This mail carries a QR code: it is an ActivationMail.")
	default:
		c.refuse("kind", "NOTICE_KIND_NOT_VALID", "There is no mail of this kind.")
	}
}

// sentences accepts one line of words.
func sentences(s string) (string, *mobile.Refusal) { return mobile.ParseText(s, textMax) }
