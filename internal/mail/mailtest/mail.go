package mailtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// Mail is one accepted mail, as /inbox.json shows it.
type Mail struct {
	// MessageID is the X-Message-Id of the reply.
	MessageID string    `json:"message_id"`
	At        time.Time `json:"at"`
	// From, ReplyTo and To are bare addresses; FromName and ToName stand beside them.
	From     string `json:"from"`
	FromName string `json:"from_name,omitempty"`
	ReplyTo  string `json:"reply_to,omitempty"`
	To       string `json:"to"`
	ToName   string `json:"to_name,omitempty"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	// HTML names its inline parts by "cid:" and their content id.
	HTML string `json:"html"`
	// Parts are the attachments, the inline QR code among them.
	Parts      []Part            `json:"parts"`
	CustomArgs map[string]string `json:"custom_args"`
}

// Part is an attachment of a mail.
type Part struct {
	ContentID   string `json:"content_id"`
	Type        string `json:"type"`
	Filename    string `json:"filename"`
	Disposition string `json:"disposition"`
	// Content is base64.
	Content string `json:"content"`
}

// Inlined is the HTML part with every inline part put in place of its content id, for a
// viewer that has the HTML alone.
func (m Mail) Inlined() string {
	html := m.HTML
	for _, p := range m.Parts {
		if p.ContentID != "" && p.Disposition == "inline" {
			html = strings.ReplaceAll(html, `"cid:`+p.ContentID+`"`, `"data:`+p.Type+`;base64,`+p.Content+`"`)
		}
	}
	return html
}

func newMail(entry partnertest.Entry, id string, body *sgmail.SGMailV3) Mail {
	m := Mail{
		MessageID: id, At: entry.At,
		From: body.From.Address, FromName: body.From.Name,
		To: body.Personalizations[0].To[0].Address, ToName: body.Personalizations[0].To[0].Name,
		Subject: body.Subject, Parts: []Part{}, CustomArgs: body.CustomArgs,
	}
	if body.ReplyTo != nil {
		m.ReplyTo = body.ReplyTo.Address
	}
	for _, c := range body.Content {
		switch c.Type {
		case "text/plain":
			m.Text = c.Value
		case "text/html":
			m.HTML = c.Value
		}
	}
	for _, a := range body.Attachments {
		m.Parts = append(m.Parts, Part{
			ContentID: a.ContentID, Type: a.Type, Filename: a.Filename,
			Disposition: a.Disposition, Content: a.Content,
		})
	}
	return m
}

// readEntry is newMail for what stands in the journal.
func readEntry(entry partnertest.Entry) (Mail, error) {
	id, _ := entry.Data["message_id"].(string)
	raw, _ := entry.Data["body"].(string)
	var body sgmail.SGMailV3
	if err := json.Unmarshal([]byte(raw), &body); err != nil {
		return Mail{}, err
	}
	if id == "" || len(check(&body)) > 0 {
		return Mail{}, fmt.Errorf("it holds no mail that could have been accepted")
	}
	return newMail(entry, id, &body), nil
}
