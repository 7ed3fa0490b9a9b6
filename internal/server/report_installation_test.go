package server_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

const (
	works     = dialtonev1.InstallationOutcome_INSTALLATION_OUTCOME_WORKS
	noService = dialtonev1.InstallationOutcome_INSTALLATION_OUTCOME_NO_SERVICE
	deleted   = dialtonev1.InstallationOutcome_INSTALLATION_OUTCOME_DELETED
)

func report(a mobile.Activation, outcome dialtonev1.InstallationOutcome, detail string) *dialtonev1.ReportInstallationRequest {
	return &dialtonev1.ReportInstallationRequest{RequestId: uuid.NewString(), ActivationId: string(a.ID), Outcome: outcome, Detail: detail}
}

// A "no" asks an operator; the customer's words are for who looks for them, sealed.
func TestReportInstallation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	ctx := as(t.Context(), b.link(t, a))
	request := report(a, noService, "It says\r\n\tNo Service, Ada")

	response, err := b.portals.ReportInstallation(ctx, request)
	must(t, err)

	if response.GetVerdict() != isAccepted || response.GetMessage() == "" {
		t.Errorf("%v", response)
	}
	items := storetest.Read(t, b.DB, a).OpenItems()
	if len(items) != 1 || items[0].Kind != mobile.ItemDoesNotWork || items[0].Severity != mobile.SeverityStranded || items[0].Reason != "NO_SERVICE" ||
		strings.Contains(items[0].Detail, "Ada") || items[0].Detail == "" {
		t.Errorf("it asks %+v", items)
	}
	actor, why := b.audited(t, "ReportInstallation", a)
	if !strings.HasPrefix(actor, "link (token ") || why != "NO_SERVICE: It says No Service, Ada" {
		t.Errorf("%s did it: %q", actor, why)
	}

	// A repeat, and the same again, ask nobody twice.
	again, err := b.portals.ReportInstallation(ctx, request)
	must(t, err)
	other := report(a, noService, "Still")
	second, err := b.portals.ReportInstallation(ctx, other)
	must(t, err)
	third, err := b.portals.ReportInstallation(ctx, report(a, deleted, ""))
	must(t, err)
	if !proto.Equal(again, response) || second.GetVerdict() != isDuplicate || third.GetVerdict() != isAccepted {
		t.Errorf("%v, %v, %v", again, second, third)
	}
	if items := storetest.Read(t, b.DB, a).OpenItems(); len(items) != 1 || items[0].Reason != "DELETED" {
		t.Errorf("it asks %+v", items)
	}
	// Each keeps its first verdict, whatever came after.
	second, err = b.portals.ReportInstallation(ctx, other)
	must(t, err)
	first, err := b.portals.ReportInstallation(ctx, request)
	must(t, err)
	if second.GetVerdict() != isDuplicate || first.GetVerdict() != isAccepted {
		t.Errorf("%v, %v", first, second)
	}
	other.Detail = "Not any more"
	_, err = b.portals.ReportInstallation(ctx, other)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
	if n := ask[int](t, b, `SELECT count(*) FROM audit`); n != 3 {
		t.Errorf("%d reports are audited", n)
	}
}

// A "yes" moves nothing.
func TestReportInstallation_Works(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)

	response, err := b.portals.ReportInstallation(as(t.Context(), b.a.backend()), report(a, works, ""))
	must(t, err)

	if response.GetVerdict() != isAccepted {
		t.Errorf("%v", response)
	}
	if diff := cmp.Diff(a, storetest.Read(t, b.DB, a)); diff != "" {
		t.Errorf("it moved (-before +after):\n%s", diff)
	}
	if _, why := b.audited(t, "ReportInstallation", a); why != "WORKS" {
		t.Errorf("audited %q", why)
	}
}

// There is something to report once the code is out, by mail or by the portal.
func TestReportInstallation_CodeGivenOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.backend())
	a, _ := b.mailed(t, b.a, 1) // as far as prepared
	_, err := b.portals.ReportInstallation(ctx, report(a, noService, ""))
	wantRefusal(t, err, refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE", Meta: map[string]string{"activation_id": string(a.ID)}})

	_, err = b.portals.GetInstallCode(ctx, codeOf(a))
	must(t, err)
	response, err := b.portals.ReportInstallation(ctx, report(a, noService, ""))
	must(t, err)
	if response.GetVerdict() != isAccepted {
		t.Errorf("%v", response)
	}
}

func TestReportInstallation_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	others, _ := b.succeeded(t, b.b, 2)
	for name, c := range map[string]struct {
		request *dialtonev1.ReportInstallationRequest
		want    refusal
	}{
		"empty": {&dialtonev1.ReportInstallationRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "outcome": "FIELD_REQUIRED",
		})},
		"no such outcome": {report(a, 77, ""), invalid(map[string]string{"outcome": "FIELD_MALFORMED"})},
		"a novel":         {report(a, works, strings.Repeat("x", 501)), invalid(map[string]string{"detail": "FIELD_TOO_LONG"})},
		"a turned line":   {report(a, works, "a\u202eb"), invalid(map[string]string{"detail": "FIELD_INVISIBLE_CHARACTER"})},
		"another's":       {report(others, works, ""), refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.ReportInstallation(as(t.Context(), b.a.backend()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	_, err := b.portals.ReportInstallation(as(t.Context(), b.link(t, b.launched(t, b.a))), report(a, works, ""))
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"})
}

// One report, sent by many at one moment, is one.
func TestReportInstallation_AtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, _ := b.succeeded(t, b.a, 1)
	request := report(a, noService, "")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			response, err := b.portals.ReportInstallation(as(t.Context(), b.a.backend()), request)
			if err != nil || response.GetVerdict() != isAccepted {
				t.Errorf("%v, %v", response, err)
			}
		})
	}
	all.Wait()

	if n := ask[int](t, b, `SELECT count(*) FROM audit`); n != 1 {
		t.Errorf("%d reports", n)
	}
}
