package mail

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
)

// noticeKinds are those that a NoticeMail can have.
var noticeKinds = []mobile.NoticeKind{
	mobile.NoticeDetailsNeeded, mobile.NoticeActionRequired, mobile.NoticeReminder,
	mobile.NoticeDidNotWorkOut, mobile.NoticePortalLink, mobile.NoticeNumberMoved,
}

// noticeOf is a notice of a port in which every field is given.
func noticeOf(tb testing.TB, kind mobile.NoticeKind) NoticeMail {
	tb.Helper()
	line := newLine(tb)
	return NoticeMail{
		NoticeID: line.NoticeID, ActivationID: line.ActivationID, Tenant: line.Tenant,
		CustomerName: line.CustomerName, To: line.To, Kind: kind,
		Number: line.Number, DonorName: "AT&T",
		Message:      "AT&T says that the transfer PIN is wrong. Please get a new one from AT&T and enter it here soon.",
		Hint:         "Dial *PORT from your AT&T phone and the PIN comes by text message. It is good for 4 days, so get it last.",
		Ask:          []string{"ZIP code of your account", "Account number", "Number Transfer PIN"},
		Deadline:     time.Date(2026, time.April, 2, 21, 30, 0, 0, time.UTC),
		AttemptsLeft: 2,
		PortalLink:   line.PortalLink,
	}
}

// examples are what is drawn and told apart: each kind, and the variants that read otherwise.
func examples(tb testing.TB) map[string]NoticeMail {
	tb.Helper()
	all := map[string]NoticeMail{}
	for _, kind := range noticeKinds {
		all[strings.ToLower(strings.ReplaceAll(string(kind), "_", "-"))] = noticeOf(tb, kind)
	}
	add := func(name string, kind mobile.NoticeKind, change func(*NoticeMail)) {
		m := noticeOf(tb, kind)
		change(&m)
		all[name] = m
	}
	add("did-not-work-out", mobile.NoticeDidNotWorkOut, func(m *NoticeMail) { m.Message = "The details were not given in time." })
	device := func(m *NoticeMail) {
		m.Number, m.DonorName, m.Hint, m.Ask, m.AttemptsLeft = "", "", "", nil, 0
		m.Message = "This phone cannot hold an eSIM. Please give us the IMEI of another phone: dial *#06# on it to see the 15 digits."
	}
	add("action-required-lock", mobile.NoticeActionRequired, func(m *NoticeMail) {
		m.Message, m.Ask, m.AttemptsLeft = "The number is locked. Take the lock off at AT&T, then tell us that you have done it.", nil, 5
		m.Hint = "In the myAT&T app open Services, then Mobile Security, then Wireless Account Lock."
	})
	add("action-required-decide", mobile.NoticeActionRequired, func(m *NoticeMail) {
		m.Message, m.Ask, m.AttemptsLeft = "We could not bring your number over. You can bring another number, take a new one, or stop here.", nil, 1
		m.DonorName, m.Hint = "", ""
	})
	add("action-required-device", mobile.NoticeActionRequired, device)
	add("reminder-details", mobile.NoticeReminder, func(m *NoticeMail) { m.Message = "" })
	add("reminder-device", mobile.NoticeReminder, device)
	add("did-not-work-out-new-line", mobile.NoticeDidNotWorkOut, func(m *NoticeMail) {
		device(m)
		m.Message = "Nobody told us of another phone in time."
	})
	return all
}

func composeNotice(tb testing.TB, m NoticeMail) Message {
	tb.Helper()
	message, err := m.Compose()
	if err != nil {
		tb.Fatalf("compose: %v", err)
	}
	return message
}

func TestNotice(t *testing.T) {
	t.Parallel()

	for name, m := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := composeNotice(t, m)
			golden(t, name+".txt", message.Text())
			golden(t, name+".outline", outline(t, message.HTML()))
		})
	}

	t.Run("GivesTheSameBytesAgain", func(t *testing.T) {
		t.Parallel()
		for _, kind := range noticeKinds {
			first, second := composeNotice(t, noticeOf(t, kind)), composeNotice(t, noticeOf(t, kind))
			if diff := cmp.Diff(string(first.Bytes()), string(second.Bytes())); diff != "" {
				t.Errorf("%s differs (-first +second):\n%s", kind, diff)
			}
		}
	})

	t.Run("ManagesWithoutNameAndReplyTo", func(t *testing.T) {
		t.Parallel()
		m := noticeOf(t, mobile.NoticeDetailsNeeded)
		m.CustomerName, m.Tenant.MailReplyTo, m.Hint, m.DonorName = "", "", "", ""
		message := composeNotice(t, m)
		if !strings.HasPrefix(message.Text(), "Hello,\n") || strings.Contains(message.Text(), "You can reply") {
			t.Errorf("the text part begins or ends wrongly:\n%s", message.Text())
		}
		if message.head.ReplyTo != nil || strings.Contains(message.Text(), "Good to know") {
			t.Error("the mail has what nobody gave")
		}
		mustSay(t, true, "your account with your old provider.", joined(message.Text()), wordsOf(t, message.HTML()))
	})
}

// TestNoticeEnvelope: the subject is the kind's and no header tells more than the address, the
// name and two opaque ids.
func TestNoticeEnvelope(t *testing.T) {
	t.Parallel()
	want := parts(t, compose(t, newLine(t)))
	subjects := map[string]bool{ActivationSubject: true}

	for _, kind := range noticeKinds {
		message := composeNotice(t, noticeOf(t, kind))
		if message.Subject() != Subject(kind) || subjects[Subject(kind)] {
			t.Errorf("%s has the subject %q; it must have one of its own", kind, message.Subject())
		}
		subjects[message.Subject()] = true
		got := parts(t, message)
		if _, found := got["attachments"]; found {
			t.Errorf("%s attaches something", kind)
		}
		for _, name := range []string{"content", "attachments", "subject"} {
			delete(got, name)
			delete(want, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the envelope of %s differs from that of Mobile Activation:\n%s", kind, diff)
		}
	}
	if Subject(mobile.NoticeActivation) != ActivationSubject || Subject("OTHER") != "" {
		t.Error("the subject of Mobile Activation, or of no mail, is another")
	}
}

// TestNoticeSays: what each kind must say, it says in both parts.
func TestNoticeSays(t *testing.T) {
	t.Parallel()
	every := []string{"Ada Lovelace", "Northwind Mobile support:", "(212) 555-0100", "Monday to Friday, 8 am to 8 pm Eastern", "do not forward this mail"}
	aboutPort := []string{"(212) 555-0123", "AT&T"}
	oldLine := []string{"Keep your old line in service, and do not cancel it."}
	until := []string{"Please do this by Thursday, April 2 at 5:30 PM EDT.", "Otherwise we stop then, and your number stays with AT&T."}
	asked := []string{"ZIP code of your account", "Account number", "Number Transfer PIN", "Dial *PORT from your AT&T phone", "Never send a PIN or an account number by mail"}
	wrong := []string{"AT&T says that the transfer PIN is wrong.", "You can try two more times."}

	for name, said := range map[string][][]string{
		"details-needed":            {aboutPort, oldLine, until, asked},
		"action-required":           {aboutPort, oldLine, until, asked, wrong},
		"action-required-lock":      {aboutPort, oldLine, until, {"The number is locked.", "Wireless Account Lock"}},
		"action-required-decide":    {{"You can bring another number, take a new one, or stop here.", "You can try one more time.", "stays with your old provider"}, oldLine},
		"action-required-device":    {{"Your new line", "This phone cannot hold an eSIM.", "and your line is not activated"}},
		"reminder":                  {{"friendly reminder"}, aboutPort, oldLine, until, asked, wrong},
		"reminder-details":          {{"friendly reminder", "we need a few details of your account with AT&T."}, aboutPort, oldLine, until, asked},
		"reminder-device":           {{"friendly reminder", "This phone cannot hold an eSIM."}},
		"did-not-work-out":          {aboutPort, {"Your old line still works.", "Nothing was charged by the move.", "try again", "Call us", "The details were not given in time."}},
		"did-not-work-out-new-line": {{"Your line has not been activated", "Nobody told us of another phone in time.", "Call us"}},
		"portal-link":               {{"has lapsed. Here is a new one.", "If you did not ask for it, ignore this mail."}},
		"number-moved":              {aboutPort, {"A stop had been asked for", "Your number is with Northwind Mobile now.", "has come already or comes soon", "Please call us.", "do not delete it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, found := examples(t)[name]
			if !found {
				t.Fatal("there is no such example")
			}
			message := composeNotice(t, m)
			text, html := joined(message.Text()), wordsOf(t, message.HTML())
			for _, sentence := range slices.Concat(append(said, every)...) {
				mustSay(t, true, sentence, text, html)
			}
			for _, sentence := range []string{oldLine[0], "your old line"} {
				if m.Number == "" || m.Kind == mobile.NoticePortalLink {
					mustSay(t, false, sentence, text, html)
				}
			}
		})
	}
}

// TestNoticeLinks: the button and the line under it lead to the customer's page, the text part
// has the link on a line of its own, and nothing leads elsewhere or is loaded.
func TestNoticeLinks(t *testing.T) {
	t.Parallel()

	for _, kind := range noticeKinds {
		m := noticeOf(t, kind)
		m.PortalLink = "https://my.northwind.example/a?x=1&y=" + strings.Repeat("k", 100)
		message := composeNotice(t, m)

		hrefs := attributes(t, message.HTML(), "href")
		if want := []string{m.PortalLink, m.PortalLink, "tel:+12125550100", "mailto:help@northwind.example"}; !slices.Equal(hrefs, want) {
			t.Errorf("%s links to %v, want %v", kind, hrefs, want)
		}
		if !strings.Contains(wordsOf(t, message.HTML()), m.PortalLink) {
			t.Errorf("%s does not show where its button leads", kind)
		}
		if !strings.Contains(message.Text(), "\n"+m.PortalLink+"\n") {
			t.Errorf("the text part of %s lacks the link:\n%s", kind, message.Text())
		}
		if got := attributes(t, message.HTML(), "src"); len(got) != 0 {
			t.Errorf("%s loads %v", kind, got)
		}
		for _, href := range hrefs {
			if u, err := url.Parse(href); err != nil || u.Scheme == "http" {
				t.Errorf("%s links to %s", kind, href)
			}
		}
	}
}

// TestNoticeHostileText: what others wrote stays text, in each kind.
func TestNoticeHostileText(t *testing.T) {
	t.Parallel()

	for _, kind := range noticeKinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			m := noticeOf(t, kind)
			m.CustomerName = `</p><script>alert(1)</script><a href="https://evil.example">`
			m.Tenant.DisplayName = `{{.PortalLink}} <img src=x onerror="alert(1)">`
			m.DonorName = `<!--[if mso]><b>AT&amp;T</b> ' "`
			m.Message = `</td></table><form action="https://evil.example"><input name="pin">`
			m.Hint = `</title><style>*{display:none}</style>`
			m.Ask = []string{`<script>alert(1)</script>`, `javascript:alert(1)`, `{{.Hint}}`}

			message := composeNotice(t, m)

			if got, want := elements(t, message.HTML()), elements(t, composeNotice(t, noticeOf(t, kind)).HTML()); !slices.Equal(got, want) {
				t.Errorf("the elements changed (-harmless +hostile):\n%s", cmp.Diff(want, got))
			}
			if got, want := len(attributes(t, message.HTML(), "href")), 4; got != want {
				t.Errorf("there are %d links, want %d", got, want)
			}
			if !strings.Contains(wordsOf(t, message.HTML()), m.Tenant.DisplayName) {
				t.Error("the tenant's name is not shown as it was written")
			}
		})
	}
}

// TestNoticeTime: a deadline reads as the tenant's clocks do, in summer and in winter.
func TestNoticeTime(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		at   time.Time
		zone string
		want string
	}{
		"Summer":          {time.Date(2026, 7, 4, 16, 5, 0, 0, time.UTC), "America/Los_Angeles", "Saturday, July 4 at 9:05 AM PDT"},
		"Winter":          {time.Date(2026, 1, 5, 17, 0, 0, 0, time.UTC), "America/Los_Angeles", "Monday, January 5 at 9:00 AM PST"},
		"TheDayBefore":    {time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC), "Pacific/Honolulu", "Sunday, January 4 at 4:00 PM HST"},
		"NoLettersForIt":  {time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), "America/Sao_Paulo", "Monday, January 5 at 9:00 AM UTC-03"},
		"GivenAsAnother":  {time.Date(2026, 1, 5, 12, 0, 0, 0, time.FixedZone("", 3600)), "UTC", "Monday, January 5 at 11:00 AM UTC"},
		"TheClockGoesOff": {time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), "America/New_York", "Sunday, March 8 at 3:00 AM EDT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := noticeOf(t, mobile.NoticeReminder)
			m.Deadline, m.Tenant.TimeZone = c.at, c.zone
			message := composeNotice(t, m)
			mustSay(t, true, "Please do this by "+c.want+".", joined(message.Text()), wordsOf(t, message.HTML()))
		})
	}
}

func TestNoticeAttempts(t *testing.T) {
	t.Parallel()

	for left, want := range map[int]bool{-1: false, 0: false, 1: true, 2: true, 3: false, 5: false} {
		m := noticeOf(t, mobile.NoticeActionRequired)
		m.AttemptsLeft = left
		if got := strings.Contains(composeNotice(t, m).Text(), "You can try"); got != want {
			t.Errorf("with %d attempts left it says so: %v, want %v", left, got, want)
		}
	}
}

// TestNoticeIsAMessage: it is read back, repeated and hidden as the first mail is.
func TestNoticeIsAMessage(t *testing.T) {
	t.Parallel()

	for _, kind := range noticeKinds {
		first := composeNotice(t, noticeOf(t, kind))
		if read, err := ParseMessage(first.Bytes()); err != nil || string(read.Bytes()) != string(first.Bytes()) {
			t.Errorf("%s cannot be read back: %v", kind, err)
		}
		if same := again(t, first, first.NoticeID(), ""); string(same.Bytes()) != string(first.Bytes()) {
			t.Errorf("%s repeated as it was is another", kind)
		}
		second := again(t, first, otherNotice, "work@example.org")
		was, is := parts(t, first), parts(t, second)
		for _, name := range []string{"custom_args", "personalizations"} {
			delete(was, name)
			delete(is, name)
		}
		if diff := cmp.Diff(was, is); diff != "" || second.To() != "work@example.org" || second.NoticeID() != otherNotice {
			t.Errorf("%s to another address (-first +second):\n%s", kind, diff)
		}
		if first.Carries(newLine(t).Code) {
			t.Errorf("%s carries a code", kind)
		}
	}
}

// TestNoticeLooks: every look that a notice wears exists; a misspelt one draws nothing.
func TestNoticeLooks(t *testing.T) {
	t.Parallel()

	for _, m := range examples(t) {
		if html := composeNotice(t, m).HTML(); strings.Contains(html, `style=""`) {
			t.Error("an element has an empty look")
		}
	}
}

// joined is a text part without its line breaks.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestNoticeLines: no line of a text part is wider than it may be, but one that is a link.
func TestNoticeLines(t *testing.T) {
	t.Parallel()

	for name, m := range examples(t) {
		for line := range strings.Lines(composeNotice(t, m).Text()) {
			if len([]rune(strings.TrimRight(line, "\n"))) > fillWidth && !strings.HasPrefix(line, "https://") {
				t.Errorf("%s has the long line %q", name, line)
			}
		}
	}
}
