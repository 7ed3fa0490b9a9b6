package mailtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"

	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"
)

// SendGrid's limits (API reference, "Mail Send": limitations).
const (
	personalizationsMax = 1000
	customArgsBytesMax  = 10000
	categoriesMax       = 10
	subjectMax          = 998 // RFC 5322 §2.1.1
)

type complaints []complaint

func (c *complaints) add(field, message string) {
	*c = append(*c, complaint{Message: message, Field: &field})
}

// check refuses what SendGrid refuses, in its words.
func check(body *sgmail.SGMailV3) []complaint {
	var found complaints
	found.people(body)
	found.content(body)
	found.attachments(body.Attachments)
	if args, _ := json.Marshal(body.CustomArgs); len(args) > customArgsBytesMax {
		found.add("custom_args", "The custom_args exceed the limit of 10000 bytes.")
	}
	if len(body.Categories) > categoriesMax {
		found.add("categories", "There are too many categories: at most 10 are allowed.")
	}
	return found
}

func (c *complaints) people(body *sgmail.SGMailV3) {
	if len(body.Personalizations) == 0 || len(body.Personalizations) > personalizationsMax || slices.Contains(body.Personalizations, nil) {
		c.add("personalizations", "The personalizations field is required and must have at least one personalization.")
	}
	for i, p := range body.Personalizations {
		if p == nil {
			continue
		}
		if len(p.To) == 0 {
			c.add(fmt.Sprintf("personalizations.%d.to", i), "The to array is required for all personalization objects, and must have at least one email object with a valid email address.")
		}
		for j, to := range p.To {
			if !valid(to) {
				c.add(fmt.Sprintf("personalizations.%d.to.%d.email", i, j), "Does not contain a valid address.")
			}
		}
	}
	if body.From == nil || body.From.Address == "" {
		c.add("from.email", "The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.  e.g. {\"email\" : \"example@example.com\"}  or {\"email\" : \"example@example.com\", \"name\" : \"Example Recipient\"}.")
	} else if !valid(body.From) {
		c.add("from.email", "The from email does not contain a valid address.")
	}
	if body.ReplyTo != nil && !valid(body.ReplyTo) {
		c.add("reply_to.email", "The reply_to email does not contain a valid address.")
	}
}

func (c *complaints) content(body *sgmail.SGMailV3) {
	switch {
	case body.Subject == "":
		c.add("subject", "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.")
	case len(body.Subject) > subjectMax:
		c.add("subject", "The subject is too long.")
	}
	if len(body.Content) == 0 || slices.Contains(body.Content, nil) {
		c.add("content", "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required.")
		return
	}
	for i, part := range body.Content {
		if part.Type == "" || part.Value == "" {
			c.add(fmt.Sprintf("content.%d.value", i), "The content value must be a string at least one character in length.")
		}
		if part.Type == "text/plain" && i > 0 {
			c.add("content", "If present, text/plain and text/html may only be provided once, and text/plain must be first.")
		}
	}
}

func (c *complaints) attachments(all []*sgmail.Attachment) {
	for i, a := range all {
		at := fmt.Sprintf("attachments.%d.", i)
		if a == nil || a.Content == "" {
			c.add(at+"content", "The attachment content is required.")
			continue
		}
		if _, err := base64.StdEncoding.DecodeString(a.Content); err != nil {
			c.add(at+"content", "The attachment content must be base64 encoded.")
		}
		if a.Filename == "" {
			c.add(at+"filename", "The attachment filename is required.")
		}
		if !slices.Contains([]string{"", "inline", "attachment"}, a.Disposition) {
			c.add(at+"disposition", "The attachment disposition must be inline or attachment.")
		}
	}
}

func valid(email *sgmail.Email) bool {
	if email == nil {
		return false
	}
	parsed, err := mail.ParseAddress(email.Address)
	return err == nil && parsed.Address == email.Address
}
