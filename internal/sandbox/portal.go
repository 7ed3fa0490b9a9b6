package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// visitor is a customer at the portal, with a link from a mail.
type visitor struct {
	sandbox    *Sandbox
	activation string
	// knows is what the customer can say about the old account.
	knows *dialtonev1.UsPortingInfo
}

// answer opens the link of the newest mail with that subject, and gives what is asked there. It
// gives the revision of what it answered.
func (v visitor) answer(ctx context.Context, subject string, t *story) (int64, error) {
	link, err := v.link(ctx, subject)
	if err != nil {
		return 0, err
	}
	t.say("mail", subject, link)
	connection, err := v.follow(link)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	portal := dialtonev1.NewPortalServiceClient(connection)
	shown, err := portal.GetPortingPrompt(ctx, &dialtonev1.GetPortingPromptRequest{})
	if err != nil {
		return 0, fmt.Errorf("open the portal: %w", err)
	}
	prompt := shown.GetPrompt()
	t.say("portal", lower(prompt.GetKind().String(), "PROMPT_KIND_"), prompt.GetMessage())
	answer := AnswerTo(prompt, v.knows)
	given, err := portal.SubmitPortingInfo(ctx, &dialtonev1.SubmitPortingInfoRequest{
		RequestId: uuid.NewString(), Revision: prompt.GetRevision(),
		Credentials: &dialtonev1.SubmitPortingInfoRequest_Us{Us: answer},
	})
	if err != nil {
		return 0, fmt.Errorf("give what the donor wants to know: %w", err)
	}
	t.say("customer", labels(prompt, answer), lower(given.GetVerdict().String(), "SUBMISSION_VERDICT_"))
	if given.GetVerdict() != dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED {
		return 0, fmt.Errorf("what the customer gave is %s: %s", given.GetVerdict(), given.GetMessage())
	}
	return prompt.GetRevision(), nil
}

// link is the one in the newest mail, as the customer finds it. A real SendGrid shows us no
// mail; then the provider's portal makes one.
func (v visitor) link(ctx context.Context, subject string) (string, error) {
	if v.sandbox.settings.pretends("SENDGRID_URL") {
		return v.linkInMail(ctx, subject)
	}
	connection, err := Dial(v.sandbox.Addresses().GRPC, v.sandbox.Addresses().PortalBackendToken)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	made, err := dialtonev1.NewPortalServiceClient(connection).CreatePortalLink(ctx, &dialtonev1.CreatePortalLinkRequest{
		RequestId: uuid.NewString(), ActivationId: v.activation,
	})
	if err != nil {
		return "", fmt.Errorf("make a link to the portal: %w", err)
	}
	return made.GetUrl(), nil
}

// linkInMail waits for the mail, which comes soon after the question.
func (v visitor) linkInMail(ctx context.Context, subject string) (string, error) {
	before, _, _ := strings.Cut(v.sandbox.settings.portalURL(), "{token}")
	for {
		mails, err := v.sandbox.mailsOf(ctx, v.activation, subject)
		if err != nil {
			return "", err
		}
		if len(mails) > 0 {
			for word := range strings.FieldsSeq(mails[0].Text) {
				if strings.HasPrefix(word, before) {
					return word, nil
				}
			}
			return "", fmt.Errorf("the mail %q has no link to the portal", subject)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return "", fmt.Errorf("wait for the mail %q: %w", subject, err)
		}
	}
}

// follow connects to the server with the token of a link, as the page behind it does.
func (v visitor) follow(link string) (*grpc.ClientConn, error) {
	address, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("the link to the portal is none")
	}
	return Dial(v.sandbox.Addresses().GRPC, address.Query().Get("token"))
}

// AnswerTo gives of what a customer knows that which a prompt asks for: what is held already,
// and was not refused, is left out.
func AnswerTo(prompt *dialtonev1.PortingPrompt, knows *dialtonev1.UsPortingInfo) *dialtonev1.UsPortingInfo {
	given := &dialtonev1.UsPortingInfo{}
	from, to := knows.ProtoReflect(), given.ProtoReflect()
	for _, field := range prompt.GetRequiredFields() {
		known := fieldOf(knows, field)
		if known != nil && from.Has(known) && (field.GetRefused() || !field.GetHeld()) {
			to.Set(known, from.Get(known))
		}
	}
	return given
}

// labels says what was given.
func labels(prompt *dialtonev1.PortingPrompt, answer *dialtonev1.UsPortingInfo) string {
	var all []string
	for _, field := range prompt.GetRequiredFields() {
		if known := fieldOf(answer, field); known != nil && answer.ProtoReflect().Has(known) {
			all = append(all, strings.TrimSuffix(field.GetLabel(), "?"))
		}
	}
	return "Gives " + strings.Join(all, ", ")
}

// fieldOf finds the field of the message that a prompt asks for.
func fieldOf(info *dialtonev1.UsPortingInfo, field *dialtonev1.PortingField) protoreflect.FieldDescriptor {
	name := protoreflect.Name(strings.TrimPrefix(field.GetField(), "us."))
	return info.ProtoReflect().Descriptor().Fields().ByName(name)
}
