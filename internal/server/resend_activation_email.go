package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// resending is a ResendActivationEmail as it was understood.
type resending struct {
	mutation

	id       mobile.ActivationID
	revision int64
	// email is another address, for this mail only; empty: the one on file.
	email string
}

// ResendActivationEmail keeps that the Mobile Activation mail is to go out once more, as it
// was, and files it with the relay. What is known of the installation decides: a code that was
// used is not sent again.
func (r *rpcs) ResendActivationEmail(ctx context.Context, request *dialtonev1.ResendActivationEmailRequest) (*dialtonev1.ResendActivationEmailResponse, error) {
	caller := access.From(ctx)
	v, err := readResending(caller, request)
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.ResendActivationEmailResponse{}
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, v.mutation)
		if err != nil {
			return err
		}
		if !repeated {
			if err := r.resend(ctx, s, v); err != nil {
				return withActivation(err, v.id)
			}
		}
		notice, err := s.RequestedNotice(ctx, v.tenant, v.id, v.requestID)
		if err != nil {
			return err
		}
		response.Notice, response.InstallState = r.show.notice(notice), installState(notice.InstallState)
		response.Workflow, err = r.readWorkflow(ctx, s, v.tenant, store.Key{ID: v.id})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	return response, nil
}

func readResending(caller access.Caller, request *dialtonev1.ResendActivationEmailRequest) (resending, error) {
	var f form
	v := resending{
		id:       f.activation("activation_id", request.GetActivationId()),
		revision: f.revision(request.GetRevision()),
		email:    f.optionalEmail("email", request.GetEmail()),
	}
	v.mutation = mutation{
		method: "ResendActivationEmail", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		authentication: f.authentication(request.GetAuthentication(), request.GetEmail() != ""),
		resource:       string(v.id), activation: true,
	}
	v.fields = []string{
		string(v.id), strconv.FormatInt(v.revision, 10), v.reason, v.person, v.email, v.authentication,
	}
	return v, f.err()
}

// resend makes the notice and who is to send it, holding the activation, so that what was
// decided on is so.
func (r *rpcs) resend(ctx context.Context, s *store.Store, v resending) error {
	a, before, err := checkResend(ctx, s, v)
	if err != nil {
		return err
	}
	to, err := addressFor(ctx, s, a, v.email)
	if err != nil {
		return err
	}
	n := mobile.Notice{
		ID: uuid.Must(uuid.NewV7()).String(), Kind: mobile.NoticeActivation, MaskedAddress: mobile.MaskEmail(to),
		InstallState: a.Profile.InstallState,
	}
	message, err := before.Again(n.ID, to)
	if err != nil {
		return err
	}
	f, err := s.FileFollowUp(ctx, mobile.FollowUp{
		Tenant: v.tenant, Activation: v.id, Kind: mobile.FollowUpResend, Asked: doer(ctx, v.mutation),
	}, r.policies)
	if err != nil {
		return err
	}
	n.FollowUp = f.ID
	return s.PrepareNotice(ctx, v.tenant, v.id, n, message.Bytes())
}

// checkResend makes every check, and gives the activation and the mail as it was last.
func checkResend(ctx context.Context, s *store.Store, v resending) (a mobile.Activation, before mail.Message, err error) {
	if _, err = s.LockedActivation(ctx, v.tenant, v.id); err != nil {
		return a, before, err
	}
	if a, err = s.Activation(ctx, v.tenant, store.Key{ID: v.id}); err != nil {
		return a, before, err
	}
	if v.revision != 0 && v.revision != a.Revision {
		return a, before, store.ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
	}
	if err := resendable(a); err != nil {
		return a, before, err
	}
	before, err = lastMail(ctx, s, a)
	return a, before, err
}

// lastMail reads the mail that went out last. It must give out the code of the eSIM that the
// activation has now.
func lastMail(ctx context.Context, s *store.Store, a mobile.Activation) (mail.Message, error) {
	_, message, err := s.LatestNotice(ctx, a.Tenant, a.ID, mobile.NoticeActivation)
	if err != nil {
		return mail.Message{}, err
	}
	last, err := mail.ParseMessage(message)
	if err != nil {
		return mail.Message{}, err
	}
	code, err := s.ActivationCode(ctx, a.Tenant, *a.Profile)
	switch {
	case errors.Is(err, store.ErrProfileNotFound):
		return mail.Message{}, errCodeVoid
	case err != nil:
		return mail.Message{}, err
	case !last.Carries(code):
		return mail.Message{}, errMailOfReplacement
	}
	return last, nil
}

// addressFor is where a mail goes: to the address that was given, or to the one on file now.
func addressFor(ctx context.Context, s *store.Store, a mobile.Activation, given string) (string, error) {
	if address := cmp.Or(given, a.EmailOverride); address != "" {
		return address, nil
	}
	sub, err := s.Subscription(ctx, a.Tenant, a.Subscription)
	return sub.CustomerEmail, err
}

// Refusals of sending the mail again.
var (
	errMailNotDue = errNotApplicable.Saying("No Mobile Activation e-mail was due for this activation yet. " +
		"While it runs, the e-mail goes out by itself once the line is live.")
	errMailOnItsWay = errNotApplicable.Saying("The activation is still sending its own Mobile Activation e-mail. " +
		"Wait until that is done, or settle what it asks: its choices say how.")
	errMailOfReplacement = errNotApplicable.Saying("The eSIM is being replaced, and the old code is about to stop working. " +
		"The new one's e-mail goes out with it.")
	errCodeVoid = errNotApplicable.Saying("The eSIM is no longer held for this activation, so its code cannot work. " +
		"Launch a new activation if the customer still wants a line.")
)

// resendable refuses an activation whose mail cannot be sent again, or would be of no use. It
// names the command that helps.
func resendable(a mobile.Activation) error {
	mails := slices.DeleteFunc(slices.Clone(a.Notices), func(n mobile.Notice) bool { return n.Kind != mobile.NoticeActivation })
	sent := slices.ContainsFunc(mails, func(n mobile.Notice) bool { return !n.Sent.IsZero() })
	held := a.Profile != nil && (a.Profile.State == mobile.ProfileReserved || a.Profile.State == mobile.ProfileReleased)
	switch {
	case !held && (len(mails) > 0 || a.State.Final()):
		return errCodeVoid
	case len(mails) == 0:
		return errMailNotDue
	case !sent && !a.State.Final():
		return errMailOnItsWay
	case slices.Contains(a.FollowUps, mobile.FollowUpReplace):
		return errMailOfReplacement
	}
	switch a.Profile.InstallState {
	case mobile.InstallDownloaded, mobile.InstallInstalled:
		return errCodeUsed(a, "A phone has fetched this eSIM already, and its code works only once.")
	case mobile.InstallFailed:
		return errCodeUsed(a, "The phone could not install this eSIM, and its code will not work again.")
	case mobile.InstallNotDownloaded, mobile.InstallUnknown:
	}
	return nil
}

func errCodeUsed(a mobile.Activation, why string) error {
	return errNotApplicable.
		Saying(fmt.Sprintf("%s Give the customer another one: ReplaceProfile, or dialtone workflow replace-profile %s --reason WHY --authentication HOW.", why, a.ID)).
		With("install_state", string(a.Profile.InstallState))
}
