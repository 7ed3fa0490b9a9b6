package sandbox

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"regexp"
	"slices"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
)

// activationSubject is what the mail with the QR code is called.
const activationSubject = "Mobile Activation"

// mail reads the one mail, as the customer would: what the QR code says must be what the text
// says, and what the SM-DP+ has the profile under. The code itself is shown to nobody.
func (e *evidence) mail(ctx context.Context) (string, error) {
	if !e.sandbox.settings.pretends("SENDGRID_URL") {
		return e.acceptedMail()
	}
	mail, err := e.findMail(ctx)
	if err != nil {
		return "", err
	}
	scanned, err := scan(mail)
	if err != nil {
		return "", err
	}
	if text := codeForm.FindString(mail.Text); text != scanned {
		return "", errors.New("the QR code says another activation code than the text")
	}
	if err := e.checkProfile(ctx, scanned); err != nil {
		return "", err
	}
	return "read from the mail to " + mail.To + ", the same in its text and at the SM-DP+", nil
}

// acceptedMail is all that can be seen of a mail that a real SendGrid has.
func (e *evidence) acceptedMail() (string, error) {
	for _, notice := range e.workflow.GetNotices() {
		sent := notice.GetDelivery() == dialtonev1.NoticeDelivery_NOTICE_DELIVERY_SENT ||
			notice.GetDelivery() == dialtonev1.NoticeDelivery_NOTICE_DELIVERY_DELIVERED
		if notice.GetKind() == dialtonev1.NoticeKind_NOTICE_KIND_MOBILE_ACTIVATION && sent {
			return "SendGrid has accepted it for " + notice.GetMaskedAddress(), nil
		}
	}
	return "", errors.New("SendGrid has accepted no mail")
}

// findMail looks into the inbox for the one that belongs to the activation.
func (e *evidence) findMail(ctx context.Context) (mailtest.Mail, error) {
	ours, err := e.sandbox.mailsOf(ctx, e.workflow.GetActivationId(), activationSubject)
	if err != nil {
		return mailtest.Mail{}, err
	}
	if len(ours) != 1 {
		return mailtest.Mail{}, fmt.Errorf("the inbox has %d of it, not one", len(ours))
	}
	return ours[0], nil
}

// mailsOf gives the mails about an activation with these words in the subject, the newest
// first.
func (s *Sandbox) mailsOf(ctx context.Context, activation, subject string) ([]mailtest.Mail, error) {
	var mails []mailtest.Mail
	if err := getJSON(ctx, s.settings.inboxURL()+".json", "", &mails); err != nil {
		return nil, err
	}
	mails = slices.DeleteFunc(mails, func(m mailtest.Mail) bool {
		return m.CustomArgs["activation_id"] != activation || !strings.Contains(m.Subject, subject)
	})
	slices.SortFunc(mails, func(a, b mailtest.Mail) int { return b.At.Compare(a.At) })
	return mails, nil
}

// codeForm finds a whole activation code.
var codeForm = regexp.MustCompile(`LPA:1\$[-.0-9A-Za-z]+\$[-0-9A-Z]+`)

// scan reads the QR code of a mail. The hint says that it is a drawing and no photograph.
func scan(mail mailtest.Mail) (string, error) {
	for _, part := range mail.Parts {
		if part.Type != "image/png" || part.Disposition != "inline" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(part.Content)
		if err != nil {
			return "", fmt.Errorf("read the mail's picture: %w", err)
		}
		picture, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			return "", fmt.Errorf("read the mail's picture: %w", err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			return "", fmt.Errorf("read the mail's picture: %w", err)
		}
		result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil {
			return "", fmt.Errorf("scan the mail's QR code: %w", err)
		}
		return result.GetText(), nil
	}
	return "", errors.New("the mail has no QR code")
}

// checkProfile asks the pretend SM-DP+ what the profile on the line can be installed with.
func (e *evidence) checkProfile(ctx context.Context, scanned string) error {
	if !e.sandbox.settings.pretends("ES2PLUS_URL") {
		return nil
	}
	var profiles []esimtest.Profile
	if err := getJSON(ctx, e.sandbox.settings.es2plusURL()+"/_pretend/profiles", "", &profiles); err != nil {
		return err
	}
	iccid := mobile.ICCID(strings.TrimSuffix(e.iccid, "F"))
	for _, profile := range profiles {
		if profile.ICCID != iccid {
			continue
		}
		code, err := mobile.NewActivationCode(smdpAddress, profile.MatchingID)
		if err != nil {
			return fmt.Errorf("the SM-DP+ has the line's profile without an activation code (%s)", profile.State)
		}
		if code.LPA() != scanned {
			return errors.New("the SM-DP+ has the line's profile under another activation code")
		}
		return nil
	}
	return errors.New("the SM-DP+ does not know the profile on the line")
}
