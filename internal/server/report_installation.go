package server

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// outcome is what the customer says of the installation.
type outcome string

const (
	outcomeWorks        outcome = "WORKS"
	outcomeNotInstalled outcome = "NOT_INSTALLED"
	outcomeNoService    outcome = "NO_SERVICE"
	outcomeDeleted      outcome = "DELETED"
)

// reporting is a ReportInstallation as it was understood.
type reporting struct {
	mutation

	id      mobile.ActivationID
	outcome outcome
}

// ReportInstallation takes the customer's word whether the line works. Where it does not, an
// operator is asked. What the customer writes is sealed with the deed, and nowhere else.
func (r *rpcs) ReportInstallation(ctx context.Context, request *dialtonev1.ReportInstallationRequest) (*dialtonev1.ReportInstallationResponse, error) {
	caller := access.From(ctx)
	v, err := readReporting(caller, request)
	if err != nil {
		return nil, err
	}
	var verdict mobile.SubmissionVerdict
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		verdict, err = v.report(ctx, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.ReportInstallationResponse{Verdict: submissionVerdict(verdict), Message: v.outcome.words(verdict)}, nil
}

// detailLengthMax bounds what the customer writes, in characters.
const detailLengthMax = 500

func readReporting(caller access.Caller, request *dialtonev1.ReportInstallationRequest) (reporting, error) {
	var f form
	id, err := f.whose(caller, request.GetActivationId())
	if err != nil {
		return reporting{}, err
	}
	if request.GetOutcome() == dialtonev1.InstallationOutcome_INSTALLATION_OUTCOME_UNSPECIFIED {
		f.refuse("outcome", "FIELD_REQUIRED", "Say whether it works.")
	}
	v := reporting{
		id:      id,
		outcome: chosen[outcome](&f, "outcome", dialtonev1.InstallationOutcome_name, "INSTALLATION_OUTCOME_", request.GetOutcome()),
	}
	detail := f.lines("detail", request.GetDetail(), detailLengthMax)
	v.mutation = mutation{
		method: "ReportInstallation", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		fields: []string{string(id), string(v.outcome), detail}, reason: string(v.outcome),
		audit: uuid.Must(uuid.NewV7()).String(),
	}
	if detail != "" {
		v.reason += ": " + detail
	}
	return v, f.err()
}

// lines reads what a person may have written on several lines, as one; an empty field stays
// empty.
func (f *form) lines(field, s string, lengthMax int) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return ""
	}
	return f.text(field, s, lengthMax)
}

// report keeps the report and gives its verdict. What the request stands for is the report,
// or the item that tells the same already: so a repeat finds its first verdict. Both are
// known only when the activation is held, which is why that comes before the request.
func (v reporting) report(ctx context.Context, s *store.Store) (mobile.SubmissionVerdict, error) {
	if _, err := s.LockedActivation(ctx, v.tenant, v.id); err != nil {
		return "", err
	}
	c, err := readCustomer(ctx, s, v.tenant, v.id)
	if err != nil {
		return "", err
	}
	v.resource = v.audit
	if item, told := c.told(v.outcome); told {
		v.resource = item.ID
	}
	about, repeated, err := s.Accept(ctx, store.Request{
		Tenant: v.tenant, Method: v.method, ID: v.requestID, Fields: v.fields, Resource: v.resource,
	})
	switch {
	case err != nil:
		return "", err
	case repeated:
		return reported(ctx, s, v.id, about)
	case !c.hasCode():
		return "", withActivation(errNothingToReport, v.id)
	}
	if err := v.keep(ctx, s); err != nil {
		return "", err
	}
	return reported(ctx, s, v.id, about)
}

// reported gives the verdict of a report by what it stands for.
func reported(ctx context.Context, s *store.Store, id mobile.ActivationID, about string) (mobile.SubmissionVerdict, error) {
	_, err := s.Item(ctx, id, about)
	switch {
	case errors.Is(err, store.ErrItemNotFound):
		return mobile.VerdictAccepted, nil
	case err != nil:
		return "", err
	}
	return mobile.VerdictDuplicate, nil
}

// keep audits the report, and asks an operator where it does not work.
func (v reporting) keep(ctx context.Context, s *store.Store) error {
	caller := access.From(ctx)
	if err := s.Audit(ctx, store.Deed{
		ID: v.audit, Tenant: v.tenant, Principal: caller.Principal, Actor: caller.AuditActor(""), Method: v.method,
		Resource: string(v.id), RequestID: v.requestID, Reason: v.why(),
	}); err != nil || v.outcome == outcomeWorks {
		return err
	}
	return s.OpenItem(ctx, v.tenant, mobile.Item{
		Activation: v.id, Kind: mobile.ItemDoesNotWork, Reason: string(v.outcome), Detail: v.outcome.forOperators(),
	})
}

var errNothingToReport = errNotApplicable.Saying("No code was given out for this activation yet, so that there is nothing to install. " +
	"The prompt says where things are.")

// hasCode tells whether the customer was given the eSIM's code, by mail or in the portal.
func (c customer) hasCode() bool { return c.codeGiven || codeMailed(c.Activation) }

// told finds the open item that says the same.
func (c customer) told(o outcome) (mobile.Item, bool) {
	for _, item := range c.OpenItems() {
		if item.Kind == mobile.ItemDoesNotWork && item.Reason == string(o) {
			return item, true
		}
	}
	return mobile.Item{}, false
}

// words thanks the customer.
func (o outcome) words(verdict mobile.SubmissionVerdict) string {
	switch {
	case verdict == mobile.VerdictDuplicate:
		return "You have told us this already. We are on it and will contact you."
	case o == outcomeWorks:
		return "Thank you for telling us. Have a good time with your line."
	}
	return "Thank you for telling us. We look into it and will contact you. Please do not delete the eSIM meanwhile."
}

// forOperators is the outcome in a sentence.
func (o outcome) forOperators() string {
	switch o {
	case outcomeNotInstalled:
		return "The customer says that the phone does not take the code."
	case outcomeNoService:
		return "The customer says that the eSIM is installed, but has no service."
	case outcomeDeleted:
		return "The customer says that the eSIM was installed and then deleted: another one is needed."
	case outcomeWorks:
	}
	return ""
}
