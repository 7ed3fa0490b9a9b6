package server_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// iccids are made up, valid and distinct.
func iccids(from, count int) []string {
	all := make([]string, 0, count)
	for n := range count {
		all = append(all, fmt.Sprintf("8901%016d", from+n))
	}
	return all
}

func delivery(iccids ...string) *dialtonev1.ImportProfilesRequest {
	return &dialtonev1.ImportProfilesRequest{
		RequestId: uuid.NewString(), ProfileType: storetest.ProfileType, Iccids: iccids, Source: "order 4711",
	}
}

func wantImport(t *testing.T, got, want *dialtonev1.ImportProfilesResponse) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("the import: -want +got\n%s", diff)
	}
}

func TestImportProfiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.admins.ImportProfiles(as(t.Context(), b.b.operator()), delivery(iccids(3, 1)...))
	must(t, err)
	ctx := as(t.Context(), b.a.operator())
	request := delivery(iccids(1, 3)...)
	want := &dialtonev1.ImportProfilesResponse{ImportedCount: 2, RefusedIccids: iccids(3, 1), AvailableCount: 2}

	trial := proto.CloneOf(request)
	trial.ValidateOnly = true
	tried, err := b.admins.ImportProfiles(ctx, trial)
	must(t, err)
	wantImport(t, tried, want)
	if n := ask[int](t, b, `SELECT count(*) FROM profiles WHERE tenant_id = $1`, b.a.ID); n != 0 {
		t.Errorf("a trial keeps %d", n)
	}
	came, err := b.admins.ImportProfiles(ctx, request)
	must(t, err)
	wantImport(t, came, want)

	// A repeat says the same, in whatever order and with whatever padding.
	slices.Reverse(request.Iccids)
	request.Iccids[0] = " " + request.Iccids[0] + " "
	again, err := b.admins.ImportProfiles(ctx, request)
	must(t, err)
	wantImport(t, again, want)
	// Another call with the same ICCIDs finds them known.
	known, err := b.admins.ImportProfiles(ctx, delivery(iccids(1, 2)...))
	must(t, err)
	wantImport(t, known, &dialtonev1.ImportProfilesResponse{KnownCount: 2, AvailableCount: 2})
	request.Source = "another"
	_, err = b.admins.ImportProfiles(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})

	actor := ask[string](t, b, `SELECT min(actor) FROM audit WHERE tenant_id = $1 AND method = 'ImportProfiles' AND resource_id = $2 AND request_id = $3`,
		b.a.ID, storetest.ProfileType, request.GetRequestId())
	if !strings.HasPrefix(actor, "operator (token ") {
		t.Errorf("the audit says %q", actor)
	}
}

// ADMIN, who belongs to no tenant, names one; and its repeats are its own.
func TestImportProfiles_ByAdmin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	request := delivery(iccids(1, 2)...)

	_, err := b.admins.ImportProfiles(ctx, request)
	wantRefusal(t, err, invalid(map[string]string{"tenant_id": "FIELD_REQUIRED"}))
	request.TenantId = "absent"
	_, err = b.admins.ImportProfiles(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"})
	request.TenantId = string(b.a.ID)
	want := &dialtonev1.ImportProfilesResponse{ImportedCount: 2, AvailableCount: 2}
	for range 2 {
		came, err := b.admins.ImportProfiles(ctx, request)
		must(t, err)
		wantImport(t, came, want)
	}
	request.TenantId = string(b.b.ID)
	_, err = b.admins.ImportProfiles(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
	request.RequestId, request.ValidateOnly = uuid.NewString(), true
	came, err := b.admins.ImportProfiles(ctx, request)
	must(t, err)
	wantImport(t, came, &dialtonev1.ImportProfilesResponse{RefusedIccids: iccids(1, 2)})
}

func TestImportProfiles_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alike := delivery("8901000000000000019", "8901000000000000019F", "8901000000000000016", "x", "")
	console := delivery(iccids(1, 1)...)
	named := delivery(iccids(1, 1)...)
	named.Actor = "Ann Lee"
	foreign := delivery(iccids(1, 1)...)
	foreign.TenantId = string(b.b.ID)
	unknown := delivery(iccids(1, 1)...)
	unknown.ProfileType = "P0"

	for name, test := range map[string]struct {
		principal mobile.Principal
		request   *dialtonev1.ImportProfilesRequest
		want      refusal
	}{
		"empty": {mobile.PrincipalOperator, &dialtonev1.ImportProfilesRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "profile_type": "FIELD_REQUIRED", "iccids": "FIELD_REQUIRED",
		})},
		"ICCIDs": {mobile.PrincipalOperator, alike, invalid(map[string]string{
			"iccids[1]": "ICCID_TWICE", "iccids[2]": "ICCID_NOT_VALID", "iccids[3]": "ICCID_NOT_VALID", "iccids[4]": "ICCID_NOT_VALID",
		})},
		"a console's person": {mobile.PrincipalConsole, console, invalid(map[string]string{"actor": "FIELD_REQUIRED"})},
		"an operator's":      {mobile.PrincipalOperator, named, invalid(map[string]string{"actor": "FIELD_NOT_ALLOWED"})},
		"no plan's type":     {mobile.PrincipalOperator, unknown, invalid(map[string]string{"profile_type": "PROFILE_TYPE_UNKNOWN"})},
		"another tenant":     {mobile.PrincipalOperator, foreign, refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"}},
		"too many":           {mobile.PrincipalOperator, delivery(iccids(0, 2001)...), refusal{Code: codes.InvalidArgument, Reason: "MESSAGE_TOO_LARGE"}},
	} {
		for _, trial := range []bool{false, true} {
			test.request.ValidateOnly = trial
			_, err := b.admins.ImportProfiles(as(t.Context(), b.a.token(test.principal)), test.request)
			t.Run(fmt.Sprintf("%s/%t", name, trial), func(t *testing.T) { wantRefusal(t, err, test.want) })
		}
	}
	if n := ask[int](t, b, `SELECT count(*) FROM profiles`); n != 0 {
		t.Errorf("%d were kept", n)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d refusals are remembered", n)
	}
}

// Of many that are wrong some are named, and the others counted.
func TestImportProfiles_ManyBad(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := iccids(0, 1900)
	for i := range 100 {
		bad[i] = "8901000000000000016"
	}

	_, err := b.admins.ImportProfiles(as(t.Context(), b.a.operator()), delivery(bad...))

	got := refused(t, err)
	if len(got.Violations) != 25 || got.Violations["iccids[23]"] != "ICCID_NOT_VALID" || got.Violations["iccids"] != "ICCID_NOT_VALID" {
		t.Errorf("%d violations: %v", len(got.Violations), got.Violations)
	}
	if text := strings.Join(refusedDetails(err), "\n"); !strings.Contains(text, "76 more are wrong") || len(text) > 8<<10 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

// The greatest delivery fits into a message.
func TestImportProfiles_Most(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := delivery(iccids(0, 2000)...)

	came, err := b.admins.ImportProfiles(as(t.Context(), b.a.operator()), request)

	must(t, err)
	wantImport(t, came, &dialtonev1.ImportProfilesResponse{ImportedCount: 2000, AvailableCount: 2000})
	if size := proto.Size(request); size > 48<<10 {
		t.Errorf("it takes %d bytes", size)
	}
	// All of them refused is the greatest answer.
	came, err = b.admins.ImportProfiles(as(t.Context(), b.b.operator()), delivery(iccids(0, 2000)...))
	must(t, err)
	if len(came.GetRefusedIccids()) != 2000 || came.GetImportedCount() != 0 {
		t.Errorf("%d refused", len(came.GetRefusedIccids()))
	}
}

// Repeats at one moment are one import, and all say what came of it.
func TestImportProfiles_RepeatsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.operator())
	request := delivery(iccids(0, 50)...)
	answers := make([]*dialtonev1.ImportProfilesResponse, 10)

	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = b.admins.ImportProfiles(ctx, request); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	for _, came := range answers {
		wantImport(t, came, &dialtonev1.ImportProfilesResponse{ImportedCount: 50, AvailableCount: 50})
	}
	if n := ask[int](t, b, `SELECT count(*) FROM audit WHERE method = 'ImportProfiles'`); n != 1 {
		t.Errorf("audited %d times", n)
	}
}
