package mail

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

func TestCompose(t *testing.T) {
	t.Parallel()

	t.Run("WritesTheTextPart", func(t *testing.T) {
		t.Parallel()
		golden(t, "new-line.txt", compose(t, newLine(t)).Text())
		golden(t, "port.txt", compose(t, ported(t)).Text())
		golden(t, "port-dated.txt", compose(t, portedOn(t)).Text())
	})

	t.Run("WritesTheHTMLPart", func(t *testing.T) {
		t.Parallel()
		golden(t, "new-line.outline", outline(t, compose(t, newLine(t)).HTML()))
		golden(t, "port.outline", outline(t, compose(t, ported(t)).HTML()))
		golden(t, "port-dated.outline", outline(t, compose(t, portedOn(t)).HTML()))
	})

	t.Run("GivesTheSameBytesAgain", func(t *testing.T) {
		t.Parallel()
		first, second := compose(t, newLine(t)), compose(t, newLine(t))
		if diff := cmp.Diff(string(first.Bytes()), string(second.Bytes())); diff != "" {
			t.Errorf("the second differs (-first +second):\n%s", diff)
		}
	})

	t.Run("TellsSendGridNothingMoreThanItMust", func(t *testing.T) {
		t.Parallel()
		var body map[string]any
		if err := json.Unmarshal(compose(t, newLine(t)).Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"content", "attachments"} {
			delete(body, part)
		}
		want := map[string]any{
			"from":             map[string]any{"name": "Northwind Mobile", "email": "hello@northwind.example"},
			"reply_to":         map[string]any{"name": "Northwind Mobile", "email": "help@northwind.example"},
			"subject":          "Mobile Activation",
			"personalizations": []any{map[string]any{"to": []any{map[string]any{"name": "Ada Lovelace", "email": "ada@example.com"}}}},
			"custom_args": map[string]any{
				"notice_id":     "0198c1a2-7d10-7cc3-9b51-2f4ab8c0d9aa",
				"activation_id": "0198c1a2-7d10-7cc3-9b51-2f4ab8c0d901",
			},
			"mail_settings": map[string]any{"bypass_unsubscribe_management": map[string]any{"enable": true}},
			"tracking_settings": map[string]any{
				"click_tracking":        map[string]any{"enable": false, "enable_text": false},
				"open_tracking":         map[string]any{"enable": false},
				"subscription_tracking": map[string]any{"enable": false},
				"ganalytics":            map[string]any{"enable": false},
			},
		}
		if diff := cmp.Diff(want, body); diff != "" {
			t.Errorf("the envelope (-want +got):\n%s", diff)
		}
	})

	t.Run("ManagesWithoutNameAndReplyTo", func(t *testing.T) {
		t.Parallel()
		m := newLine(t)
		m.CustomerName, m.Tenant.MailReplyTo, m.Tenant.SupportPhone = "", "", "dial 611"
		message := compose(t, m)
		if !strings.HasPrefix(message.Text(), "Hello,\n") || strings.Contains(message.Text(), "reply") {
			t.Errorf("the text part begins or ends wrongly:\n%s", message.Text())
		}
		if message.head.ReplyTo != nil || strings.Contains(message.HTML(), "tel:") {
			t.Error("the mail names a reply-to or a telephone link that nobody gave")
		}
	})
}

// TestBothParts: what design §10 asks for is said in the text part and in the HTML part.
func TestBothParts(t *testing.T) {
	t.Parallel()
	said := []string{
		"(212) 555-0123", "Ada Lovelace", "Northwind Mobile",
		"Connect the phone to Wi-Fi first.",
		"The phone must be unlocked",
		"iOS 17.4 or later", "10 or later",
		"SM-DP+ address", "rsp.northwind.example",
		"Activation code", "QR-G5MAT-7HKWX-2P9DD",
		"LPA:1$rsp.northwind.example$QR-G5MAT-7HKWX-2P9DD",
		"The code works once,", "Do not delete the eSIM", "Do not forward this mail",
		"say yes (Continue, Add or Download)",
		"after ten minutes", "(212) 555-0100", "Monday to Friday, 8 am to 8 pm Eastern",
		"help@northwind.example",
	}
	onlyPort := []string{
		"Keep your old SIM in the phone, and do not cancel your old line.",
		"Install it now on Wi-Fi, and keep your old SIM in the phone: your number moves",
		"Do not cancel your old line.",
	}
	links := func(m ActivationMail) []string {
		return []string{m.Code.AppleLink(), m.Code.AndroidLink(), m.PortalLink}
	}

	for name, m := range map[string]ActivationMail{"NewLine": newLine(t), "Port": ported(t), "PortWithItsTime": portedOn(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := compose(t, m)
			text := strings.Join(strings.Fields(message.Text()), " ")
			html := wordsOf(t, message.HTML())

			for _, sentence := range said {
				mustSay(t, true, sentence, text, html)
			}
			for _, sentence := range onlyPort {
				mustSay(t, m.Ported, sentence, text, html)
			}
			mustSay(t, m.Ported && m.Moves.IsZero(), "your number moves soon.", text, html)
			mustSay(t, !m.Moves.IsZero(), "your number moves on Wednesday, September 30 at 10:00 AM EDT.", text, html)
			hrefs := attributes(t, message.HTML(), "href")
			for _, link := range links(m) {
				if !strings.Contains(message.Text(), link+"\n") || !slices.Contains(hrefs, link) {
					t.Errorf("a part lacks the link %s", link)
				}
			}
		})
	}
}

func mustSay(t *testing.T, want bool, sentence, text, html string) {
	t.Helper()
	// The text part shouts its headings and begins sentences after a dash.
	lower := strings.ToLower(sentence)
	if got := strings.Contains(strings.ToLower(text), lower); got != want {
		t.Errorf("the text part says %q: %v, want %v", sentence, got, want)
	}
	if got := strings.Contains(strings.ToLower(html), lower); got != want {
		t.Errorf("the HTML part says %q: %v, want %v", sentence, got, want)
	}
}

// TestHostileText: what others wrote stays text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	m := newLine(t)
	m.CustomerName = `</p><script>alert(1)</script><a href="https://evil.example">`
	m.Tenant.DisplayName = `{{.LPA}} <img src=x onerror="alert(1)">`
	m.Tenant.SupportHours = `javascript:alert(1) ' " --> <!--`
	m.PortalLink = "https://my.northwind.example/a?x=1&y='2'"

	html := compose(t, m).HTML()

	if got, want := elements(t, html), elements(t, compose(t, newLine(t)).HTML()); !slices.Equal(got, want) {
		t.Errorf("the elements changed (-harmless +hostile):\n%s", cmp.Diff(want, got))
	}
	if !strings.Contains(wordsOf(t, html), m.Tenant.DisplayName) {
		t.Error("the tenant's name is not shown as it was written")
	}
}

// TestLinks: a mail leads to https, to the telephone and to the reply address, nowhere else.
func TestLinks(t *testing.T) {
	t.Parallel()

	for _, href := range attributes(t, compose(t, newLine(t)).HTML(), "href") {
		u, err := url.Parse(href)
		if err != nil || !slices.Contains([]string{"https", "tel", "mailto"}, u.Scheme) {
			t.Errorf("the mail links to %s", href)
		}
	}
	if got := attributes(t, compose(t, newLine(t)).HTML(), "src"); !slices.Equal(got, []string{"cid:activation-qr"}) {
		t.Errorf("the mail loads %v, want the QR code alone", got)
	}
}

func TestComposeRefuses(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		spoil func(*ActivationMail)
		field string
	}{
		"TwoRecipients":        {func(m *ActivationMail) { m.To = "ada@example.com, eve@example.com" }, "to"},
		"ARecipientWithAName":  {func(m *ActivationMail) { m.To = "Ada <ada@example.com>" }, "to"},
		"NoRecipient":          {func(m *ActivationMail) { m.To = "" }, "to"},
		"NewlineInRecipient":   {func(m *ActivationMail) { m.To = "ada@example.com\nBcc: eve@example.com" }, "to"},
		"ReturnInName":         {func(m *ActivationMail) { m.CustomerName = "Ada\rBcc: eve@example.com" }, "customer_name"},
		"NULInName":            {func(m *ActivationMail) { m.CustomerName = "Ada\x00" }, "customer_name"},
		"BidirectionalName":    {func(m *ActivationMail) { m.CustomerName = "Ada\u202e" }, "customer_name"},
		"LongName":             {func(m *ActivationMail) { m.CustomerName = strings.Repeat("a", 101) }, "customer_name"},
		"NewlineInTenant":      {func(m *ActivationMail) { m.Tenant.DisplayName = "North\nwind" }, "tenant.display_name"},
		"NoTenant":             {func(m *ActivationMail) { m.Tenant.DisplayName = "" }, "tenant.display_name"},
		"NoSender":             {func(m *ActivationMail) { m.Tenant.MailFrom = "" }, "tenant.mail_from"},
		"ReplyToNobody":        {func(m *ActivationMail) { m.Tenant.MailReplyTo = "nobody" }, "tenant.mail_reply_to"},
		"NoSupportPhone":       {func(m *ActivationMail) { m.Tenant.SupportPhone = "" }, "tenant.support_phone"},
		"NoSupportHours":       {func(m *ActivationMail) { m.Tenant.SupportHours = " " }, "tenant.support_hours"},
		"NumberNotE164":        {func(m *ActivationMail) { m.Number = "2125550123" }, "number"},
		"PlainHTTP":            {func(m *ActivationMail) { m.PortalLink = "http://my.northwind.example/a" }, "portal_link"},
		"ScriptLink":           {func(m *ActivationMail) { m.PortalLink = "javascript:alert(1)" }, "portal_link"},
		"LinkWithUser":         {func(m *ActivationMail) { m.PortalLink = "https://my.northwind.example@evil.example/" }, "portal_link"},
		"LinkWithBlank":        {func(m *ActivationMail) { m.PortalLink = "https://my.northwind.example/a b" }, "portal_link"},
		"LinkWithQuote":        {func(m *ActivationMail) { m.PortalLink = `https://my.northwind.example/"` }, "portal_link"},
		"LoopbackLookalike":    {func(m *ActivationMail) { m.PortalLink = "http://localhost.evil.example/" }, "portal_link"},
		"NoLink":               {func(m *ActivationMail) { m.PortalLink = "" }, "portal_link"},
		"NoCode":               {func(m *ActivationMail) { m.Code = mobile.ActivationCode{} }, "code"},
		"NoTimeZoneForThePort": {func(m *ActivationMail) { *m = timed(*m, "") }, "tenant.time_zone"},
		"NoSuchTimeZone":       {func(m *ActivationMail) { *m = timed(*m, "Mars/Olympus") }, "tenant.time_zone"},
		"NoNoticeID":           {func(m *ActivationMail) { m.NoticeID = "" }, "notice_id"},
		"PersonalNoticeID":     {func(m *ActivationMail) { m.NoticeID = "ada@example.com" }, "notice_id"},
		"PersonalActivationID": {func(m *ActivationMail) { m.ActivationID = "+1 212" }, "activation_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newLine(t)
			c.spoil(&m)

			_, err := m.Compose()

			if !errors.Is(err, ErrFields) {
				t.Fatalf("got %v, want %v", err, ErrFields)
			}
			var got []string
			for _, v := range fault.Of(err).Violations {
				got = append(got, v.Field)
			}
			if want := []string{c.field}; !slices.Equal(got, want) {
				t.Errorf("got violations of %v, want %v", got, want)
			}
		})
	}
}

// timed is a port that moves at a time, in this zone.
func timed(m ActivationMail, zone string) ActivationMail {
	m.Ported, m.Moves, m.Tenant.TimeZone = true, time.Unix(0, 0), zone
	return m
}

// TestNewLineReadsNoTime: only a port has one.
func TestNewLineReadsNoTime(t *testing.T) {
	t.Parallel()
	m := timed(newLine(t), "Mars/Olympus")
	m.Ported = false
	if got, want := compose(t, m).Text(), compose(t, newLine(t)).Text(); got != want {
		t.Errorf("the text part differs (-without +with):\n%s", cmp.Diff(want, got))
	}
}

// TestLoopbackPortal: the sandbox's portal has no certificate.
func TestLoopbackPortal(t *testing.T) {
	t.Parallel()

	for _, link := range []string{"http://127.0.0.1:7405/a/k7", "http://localhost:7405/a/k7", "http://[::1]:7405/a"} {
		m := newLine(t)
		m.PortalLink = link
		if !strings.Contains(compose(t, m).Text(), link) {
			t.Errorf("the mail does not lead to %s", link)
		}
	}
}

// TestComposeTellsAll: a mail with many faults is refused for all of them at once.
func TestComposeTellsAll(t *testing.T) {
	t.Parallel()

	_, err := ActivationMail{}.Compose()

	if f := fault.Of(err); f == nil || len(f.Violations) != 10 {
		t.Errorf("got %+v, want a violation for each required field", f)
	}
}

// tokens reads a page as a mail client's parser would, and fails on what is not well formed.
func tokens(t *testing.T, page string, visit func(xml.Token)) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the HTML part is not well formed: %v", err)
		}
		visit(token)
	}
}

// outline is what a page says to those who do not see how it looks: elements, the
// attributes that mean something, and text.
func outline(t *testing.T, page string) string {
	t.Helper()
	var out strings.Builder
	depth := 0
	line := func(format string, args ...any) {
		_, _ = fmt.Fprintf(&out, strings.Repeat("  ", depth)+format+"\n", args...)
	}
	inStyle := false
	tokens(t, page, func(token xml.Token) {
		switch token := token.(type) {
		case xml.StartElement:
			inStyle = token.Name.Local == "style"
			var shown string
			for _, a := range token.Attr {
				if slices.Contains([]string{"lang", "dir", "role", "scope", "alt", "href", "src", "width", "name", "content"}, a.Name.Local) {
					shown += fmt.Sprintf(" %s=%q", a.Name.Local, a.Value)
				}
			}
			line("%s%s", token.Name.Local, shown)
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.Join(strings.Fields(string(token)), " "); text != "" && !inStyle {
				line("%q", text)
			}
		case xml.Comment:
			line("<!-- %s -->", token)
		}
	})
	return out.String()
}

func elements(t *testing.T, page string) (names []string) {
	t.Helper()
	tokens(t, page, func(token xml.Token) {
		if start, ok := token.(xml.StartElement); ok {
			names = append(names, start.Name.Local)
		}
	})
	return names
}

func attributes(t *testing.T, page, name string) (values []string) {
	t.Helper()
	tokens(t, page, func(token xml.Token) {
		if start, ok := token.(xml.StartElement); ok {
			for _, a := range start.Attr {
				if a.Name.Local == name {
					values = append(values, a.Value)
				}
			}
		}
	})
	return values
}

func wordsOf(t *testing.T, page string) string {
	t.Helper()
	var words []string
	tokens(t, page, func(token xml.Token) {
		if text, ok := token.(xml.CharData); ok {
			words = append(words, strings.Fields(string(text))...)
		}
	})
	return strings.Join(words, " ")
}
