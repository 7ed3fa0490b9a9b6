package mailtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("PutsTheMailIntoTheInbox", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		message := messageTo(t, "ada@example.com")

		id := b.send(t, "ada@example.com")

		mails := b.inbox(t)
		if len(mails) != 1 || len(mails[0].Parts) != 1 {
			t.Fatalf("got %d mails", len(mails))
		}
		part := mails[0].Parts[0]
		want := mailtest.Mail{
			MessageID: id, At: noon,
			From: "hello@northwind.example", FromName: "Northwind Mobile",
			To: "ada@example.com", ToName: "Ada Lovelace",
			Subject: "Mobile Activation", Text: message.Text(), HTML: message.HTML(),
			Parts: []mailtest.Part{{
				ContentID: "activation-qr", Type: "image/png", Filename: "esim-qr-code.png",
				Disposition: "inline", Content: part.Content,
			}},
			CustomArgs: map[string]string{"notice_id": "notice-1", "activation_id": "activation-1"},
		}
		if diff := cmp.Diff(want, mails[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		raw, err := base64.StdEncoding.DecodeString(part.Content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
			t.Errorf("the part is no picture: %v", err)
		}
	})

	t.Run("GivesEachMailAnIDOfItsOwn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.send(t, "ada@example.com")
		if again := b.send(t, "ada@example.com"); again == first {
			t.Error("the same bytes sent twice have one id; SendGrid knows no idempotency")
		}
	})

	t.Run("WritesTheJournalBeforeItAnswers", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		if _, err := b.faults.Set(partnertest.Fault{Match: "POST /v3/mail/send", Kind: partnertest.DropAfter, Times: 1}); err != nil {
			t.Fatal(err)
		}

		_, err := b.client.Send(t.Context(), messageTo(t, "ada@example.com").Bytes())

		if got := mobile.VerdictOf(err); got != mobile.VerdictUnknown {
			t.Errorf("got %v, want an unknown outcome", err)
		}
		entries := b.config.Journal.Entries()
		if len(entries) == 0 || entries[0].Act != mailtest.ActAccepted || entries[0].Reference != "notice-1" {
			t.Errorf("the journal holds %v", entries)
		}
		if events := <-b.events; events[0].NoticeID != "notice-1" {
			t.Errorf("the events tell of %q", events[0].NoticeID)
		}
	})
}

// TestFaults: what each fault looks like to the client.
func TestFaults(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		fault partnertest.Fault
		want  mobile.Verdict
		mails int
	}{
		{partnertest.Fault{Kind: partnertest.Status, Status: 503}, mobile.VerdictNotNow, 0},
		{partnertest.Fault{Kind: partnertest.Status, Status: 429}, mobile.VerdictNotNow, 0},
		{partnertest.Fault{Kind: partnertest.Status, Status: 500, Applied: true}, mobile.VerdictUnknown, 1},
		{partnertest.Fault{Kind: partnertest.DropBefore}, mobile.VerdictUnknown, 0},
		{partnertest.Fault{Kind: partnertest.DropAfter}, mobile.VerdictUnknown, 1},
		{partnertest.Fault{Kind: partnertest.Partial}, mobile.VerdictUnknown, 1},
		{partnertest.Fault{Kind: partnertest.Huge}, mobile.VerdictUnknown, 1},
		{partnertest.Fault{Kind: partnertest.BadJSON}, mobile.VerdictYes, 1},
		{partnertest.Fault{Kind: partnertest.Empty2xx}, mobile.VerdictYes, 1},
		{partnertest.Fault{Kind: partnertest.Redirect}, mobile.VerdictUnknown, 0},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if _, err := b.faults.Set(c.fault); err != nil {
				t.Fatal(err)
			}

			_, err := b.client.Send(t.Context(), messageTo(t, "ada@example.com").Bytes())

			if got := mobile.VerdictOf(err); got != c.want {
				t.Errorf("got %v (%v), want %v", got, err, c.want)
			}
			// The inbox is read while the fault is set: it must not bite there.
			if got := len(b.inbox(t)); got != c.mails {
				t.Errorf("the inbox holds %d mails, want %d", got, c.mails)
			}
		})
	}
}

func TestSendRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	whole := string(messageTo(t, "ada@example.com").Bytes())

	for name, c := range map[string]struct {
		from, to string // what is replaced in a good message by what
		status   int
		field    string
	}{
		"NoJSON":            {whole, "{", 400, ""},
		"NoPersonalization": {`"personalizations":[`, `"personalizations":[],"sections":{},"reply_to_list":[`, 400, "personalizations"},
		"NoRecipient":       {`"to":[`, `"cc":[`, 400, "personalizations.0.to"},
		"BadRecipient":      {"ada@example.com", "ada", 400, "personalizations.0.to.0.email"},
		"NoSender":          {`"email":"hello@northwind.example"`, `"email":""`, 400, "from.email"},
		"NoSubject":         {`"subject":"Mobile Activation"`, `"subject":""`, 400, "subject"},
		"LongSubject":       {"Mobile Activation", strings.Repeat("M", 999), 400, "subject"},
		"NoContent":         {`"content":[`, `"content":[],"categories":[],"reply_to_list":[`, 400, "content"},
		"TextPartLast":      {"text/html", "text/plain", 400, "content"},
		"AttachmentNoName":  {`"filename":"esim-qr-code.png"`, `"filename":""`, 400, "attachments.0.filename"},
		"AttachmentBroken":  {`"content":"iVBOR`, `"content":"!!`, 400, "attachments.0.content"},
		"LongCustomArgs":    {`"notice-1"`, `"` + strings.Repeat("n", 10001) + `"`, 400, "custom_args"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.Replace(whole, c.from, c.to, 1)
			if body == whole {
				t.Fatal("the case spoils nothing")
			}

			status, field := b.post(t, body, map[string]string{})

			if status != c.status || field != c.field {
				t.Errorf("got %d at %q, want %d at %q", status, field, c.status, c.field)
			}
		})
	}

	t.Run("AnotherKey", func(t *testing.T) {
		t.Parallel()
		if status, _ := b.post(t, whole, map[string]string{"Authorization": "Bearer other"}); status != 401 {
			t.Errorf("got %d, want 401", status)
		}
	})
	t.Run("AnotherContentType", func(t *testing.T) {
		t.Parallel()
		if status, _ := b.post(t, whole, map[string]string{"Content-Type": "text/plain"}); status != 415 {
			t.Errorf("got %d, want 415", status)
		}
	})
	t.Cleanup(func() {
		if got := len(b.sendgrid.Mails()); got != 0 {
			t.Errorf("%d refused mails were accepted", got)
		}
	})
}

// post gives the status and the first field that was refused.
func (b *bundle) post(t *testing.T, body string, header map[string]string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v3/mail/send", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testKey)
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var reply struct {
		Errors []struct {
			Message string
			Field   *string
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil || len(reply.Errors) == 0 || reply.Errors[0].Message == "" {
		t.Fatalf("the reply %d has no errors: %v", response.StatusCode, err)
	}
	if reply.Errors[0].Field == nil {
		return response.StatusCode, ""
	}
	return response.StatusCode, *reply.Errors[0].Field
}
