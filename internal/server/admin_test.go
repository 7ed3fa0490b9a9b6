package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func newTenant() *dialtonev1.CreateTenantRequest {
	return &dialtonev1.CreateTenantRequest{
		RequestId: uuid.NewString(), DisplayName: "Bergé Télécom & Sons", MailFrom: "Bergé <mobile@berge.example>",
		SupportPhone: "+1 212 555 0100", SupportHours: "every day, 8-20 h Eastern",
		PortalUrlTemplate: "https://portal.berge.example/m?t={token}", TimeZone: "America/New_York",
		Plans: []*dialtonev1.Plan{
			{Plan: "mobile", Kind: dialtonev1.PlanKind_PLAN_KIND_MOBILE, CarrierPlan: "M10", ProfileType: "P1"},
			{Plan: "fibre", Kind: dialtonev1.PlanKind_PLAN_KIND_INTERNET},
		},
	}
}

func TestCreateTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	request := newTenant()

	trial := proto.CloneOf(request)
	trial.ValidateOnly = true
	tried, err := b.admins.CreateTenant(ctx, trial)
	must(t, err)
	made, err := b.admins.CreateTenant(ctx, request)
	must(t, err)
	again, err := b.admins.CreateTenant(ctx, request)
	must(t, err)

	tenant := made.GetTenant()
	if tenant.GetTenantId() != "berge-telecom-sons" || len(tenant.GetPlans()) != 2 || tenant.GetPlans()[0].GetPlan() != "fibre" {
		t.Errorf("made %v", tenant)
	}
	if !proto.Equal(tenant, again.GetTenant()) {
		t.Errorf("a repeat answers %v", again)
	}
	if diff := cmp.Diff(tenant, tried.GetTenant(), protocmp.Transform(), protocmp.IgnoreFields(tenant, "create_time", "update_time")); diff != "" {
		t.Errorf("a trial answers otherwise:\n%s", diff)
	}
	request.RequestId = uuid.NewString()
	_, err = b.admins.CreateTenant(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.AlreadyExists, Reason: "TENANT_EXISTS"})
	trial.RequestId = uuid.NewString()
	_, err = b.admins.CreateTenant(ctx, trial)
	wantRefusal(t, err, refusal{Code: codes.AlreadyExists, Reason: "TENANT_EXISTS"})
	if n := ask[int](t, b, `SELECT count(*) FROM audit WHERE tenant_id = 'berge-telecom-sons' AND method = 'CreateTenant'`); n != 1 {
		t.Errorf("audited %d times", n)
	}
}

func TestCreateTenant_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		change func(*dialtonev1.CreateTenantRequest)
		want   map[string]string
	}{
		"empty": {func(r *dialtonev1.CreateTenantRequest) { proto.Reset(r) }, map[string]string{
			"request_id": "FIELD_REQUIRED", "tenant_id": "FIELD_REQUIRED", "display_name": "FIELD_REQUIRED",
			"mail_from": "FIELD_REQUIRED", "support_phone": "FIELD_REQUIRED", "support_hours": "FIELD_REQUIRED",
			"portal_url_template": "FIELD_REQUIRED", "time_zone": "FIELD_REQUIRED",
		}},
		"malformed": {
			func(r *dialtonev1.CreateTenantRequest) {
				r.TenantId, r.MailFrom, r.MailReplyTo = "a/b", "nobody", "x"
				r.PortalUrlTemplate, r.TimeZone = "http://portal.example/{token}", "Mars/Olympus"
				r.Plans = append(r.Plans, &dialtonev1.Plan{Plan: "mobile"}, &dialtonev1.Plan{
					Plan: "tv", Kind: dialtonev1.PlanKind_PLAN_KIND_OTHER, CarrierPlan: "x",
				})
			},
			map[string]string{
				"tenant_id": "FIELD_MALFORMED", "mail_from": "EMAIL_NOT_VALID", "mail_reply_to": "EMAIL_NOT_VALID",
				"portal_url_template": "FIELD_MALFORMED", "time_zone": "FIELD_MALFORMED",
				"plans[2].plan": "PLAN_TWICE", "plans[2].kind": "FIELD_REQUIRED", "plans[3].carrier_plan": "FIELD_NOT_ALLOWED",
			},
		},
	} {
		request := newTenant()
		test.change(request)
		_, err := b.admins.CreateTenant(as(t.Context(), b.admin), request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(test.want)) })
	}
}

// update is a request to change tenant a.
func (b *bundle) update(tenant *dialtonev1.Tenant, mask ...string) *dialtonev1.UpdateTenantRequest {
	tenant.TenantId = string(b.a.ID)
	request := &dialtonev1.UpdateTenantRequest{RequestId: uuid.NewString(), Tenant: tenant}
	if len(mask) > 0 {
		request.UpdateMask = &fieldmaskpb.FieldMask{Paths: mask}
	}
	return request
}

func TestUpdateTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	b.pending(t, b.a)

	response, err := b.admins.UpdateTenant(ctx, b.update(&dialtonev1.Tenant{DisplayName: " Lakeside Mobile ", MailReplyTo: "x"}, "display_name"))
	must(t, err)
	if got := response.GetTenant(); got.GetDisplayName() != "Lakeside Mobile" || got.GetMailReplyTo() != "help@lakeside.example" || len(got.GetPlans()) != 2 {
		t.Errorf("with a mask: %v", got)
	}
	response, err = b.admins.UpdateTenant(ctx, b.update(&dialtonev1.Tenant{}, "mail_reply_to"))
	must(t, err)
	if got := response.GetTenant(); got.GetMailReplyTo() != "" {
		t.Errorf("cleared: %v", got)
	}
	trial := b.update(&dialtonev1.Tenant{SupportHours: "never"})
	trial.ValidateOnly = true
	response, err = b.admins.UpdateTenant(ctx, trial)
	must(t, err)
	read, err := b.admins.GetTenant(ctx, &dialtonev1.GetTenantRequest{TenantId: string(b.a.ID)})
	must(t, err)
	if response.GetTenant().GetSupportHours() != "never" || read.GetTenant().GetSupportHours() == "never" {
		t.Errorf("a trial answers %v and leaves %v", response, read)
	}

	for name, test := range map[string]struct {
		request *dialtonev1.UpdateTenantRequest
		want    refusal
	}{
		"plan in use": {
			b.update(&dialtonev1.Tenant{Plans: []*dialtonev1.Plan{{Plan: storetest.PlanName, Kind: dialtonev1.PlanKind_PLAN_KIND_OTHER}}}),
			invalid(map[string]string{"tenant.plans": "PLAN_IN_USE"}),
		},
		"no plans":     {b.update(&dialtonev1.Tenant{}, "plans"), invalid(map[string]string{"tenant.plans": "PLAN_IN_USE"})},
		"unknown mask": {b.update(&dialtonev1.Tenant{}, "tenant_id"), invalid(map[string]string{"update_mask": "MASK_UNKNOWN"})},
		"nothing":      {b.update(&dialtonev1.Tenant{}), invalid(map[string]string{"tenant": "FIELD_REQUIRED"})},
		"bad value":    {b.update(&dialtonev1.Tenant{}, "display_name"), invalid(map[string]string{"tenant.display_name": "FIELD_REQUIRED"})},
		"absent": {
			&dialtonev1.UpdateTenantRequest{RequestId: uuid.NewString(), Tenant: &dialtonev1.Tenant{TenantId: "absent", DisplayName: "x"}},
			refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"},
		},
		"whose": {
			&dialtonev1.UpdateTenantRequest{RequestId: uuid.NewString()},
			invalid(map[string]string{"tenant.tenant_id": "FIELD_REQUIRED", "tenant": "FIELD_REQUIRED"}),
		},
	} {
		_, err := b.admins.UpdateTenant(ctx, test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}

func TestUpdateTenant_Repeat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	b.pending(t, b.a)
	// Plans that are used may be named otherwise by partners, and others may come and go; the
	// order does not make another request.
	plans := b.update(&dialtonev1.Tenant{Plans: []*dialtonev1.Plan{
		{Plan: "tv", Kind: dialtonev1.PlanKind_PLAN_KIND_OTHER},
		{Plan: storetest.PlanName, Kind: dialtonev1.PlanKind_PLAN_KIND_MOBILE, CarrierPlan: "X", ProfileType: "Y"},
	}})
	for range 2 {
		slices.Reverse(plans.GetTenant().GetPlans())
		response, err := b.admins.UpdateTenant(ctx, plans)
		must(t, err)
		if got := response.GetTenant().GetPlans(); len(got) != 2 || got[0].GetCarrierPlan() != "X" || got[1].GetPlan() != "tv" {
			t.Errorf("the plans are %v", got)
		}
	}
	// A repeat changes nothing, also when somebody has changed it since.
	first := b.update(&dialtonev1.Tenant{SupportHours: "one"})
	var response *dialtonev1.UpdateTenantResponse
	for _, request := range []*dialtonev1.UpdateTenantRequest{first, b.update(&dialtonev1.Tenant{SupportHours: "two"}), first} {
		var err error
		response, err = b.admins.UpdateTenant(ctx, request)
		must(t, err)
	}
	if got := response.GetTenant().GetSupportHours(); got != "two" {
		t.Errorf("a repeat has set %q again", got)
	}
}

func TestGetTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)

	own, err := b.admins.GetTenant(as(t.Context(), b.a.billing()), &dialtonev1.GetTenantRequest{})
	must(t, err)
	if own.GetTenant().GetTenantId() != string(b.a.ID) {
		t.Errorf("%v", own)
	}
	_, err = b.admins.GetTenant(as(t.Context(), b.admin), &dialtonev1.GetTenantRequest{})
	wantRefusal(t, err, invalid(map[string]string{"tenant_id": "FIELD_REQUIRED"}))
	_, err = b.admins.GetTenant(as(t.Context(), b.admin), &dialtonev1.GetTenantRequest{TenantId: "absent"})
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"})
}

func newToken(principal dialtonev1.Principal, tenant string) *dialtonev1.CreateTokenRequest {
	return &dialtonev1.CreateTokenRequest{RequestId: uuid.NewString(), Principal: principal, TenantId: tenant, Name: "billing-1"}
}

func revoke(id string) *dialtonev1.RevokeTokenRequest {
	return &dialtonev1.RevokeTokenRequest{RequestId: uuid.NewString(), TokenId: id, Reason: "It leaked"}
}

func TestCreateToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	request := newToken(dialtonev1.Principal_PRINCIPAL_PORTAL_BACKEND, string(b.a.ID))
	request.ExpireTime = timestamppb.New(time.Now().Add(time.Hour))

	made, err := b.admins.CreateToken(ctx, request)
	must(t, err)
	again, err := b.admins.CreateToken(ctx, request)
	must(t, err)

	id := made.GetToken().GetTokenId()
	if prefix := "dt_portalbackend_" + strings.ReplaceAll(id, "-", "") + "_"; !strings.HasPrefix(made.GetSecret(), prefix) || len(made.GetSecret()) != len(prefix)+64 {
		t.Error("the secret has not the form that scanners look for")
	}
	if again.GetSecret() != "" || again.GetToken().GetTokenId() != id {
		t.Error("a repeat shows a secret, or made another token")
	}
	if _, err := b.admins.GetTenant(as(t.Context(), made.GetSecret()), &dialtonev1.GetTenantRequest{}); err != nil {
		t.Errorf("the token does not work: %v", err)
	}
	listed, err := b.admins.ListTokens(ctx, &dialtonev1.ListTokensRequest{TenantId: string(b.a.ID)})
	must(t, err)
	newest := listed.GetTokens()[0]
	if newest.GetTokenId() != id || newest.GetLastUseTime() == nil || newest.GetName() != "billing-1" || len(listed.GetTokens()) != 5 {
		t.Errorf("listed %v", listed)
	}
}

func TestCreateToken_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	past := newToken(dialtonev1.Principal_PRINCIPAL_BILLING, string(b.a.ID))
	past.ExpireTime = timestamppb.New(time.Now().Add(-time.Second))
	for name, test := range map[string]struct {
		request *dialtonev1.CreateTokenRequest
		want    refusal
	}{
		"empty": {&dialtonev1.CreateTokenRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "principal": "FIELD_REQUIRED", "name": "FIELD_REQUIRED",
		})},
		"no tenant":     {newToken(dialtonev1.Principal_PRINCIPAL_BILLING, ""), invalid(map[string]string{"tenant_id": "FIELD_REQUIRED"})},
		"admin's":       {newToken(dialtonev1.Principal_PRINCIPAL_ADMIN, "x"), invalid(map[string]string{"tenant_id": "FIELD_NOT_ALLOWED"})},
		"a portal's":    {newToken(dialtonev1.Principal_PRINCIPAL_PORTAL, "x"), invalid(map[string]string{"principal": "FIELD_NOT_ALLOWED"})},
		"no such":       {newToken(99, "x"), invalid(map[string]string{"principal": "FIELD_MALFORMED"})},
		"past":          {past, invalid(map[string]string{"expire_time": "FIELD_MALFORMED"})},
		"absent tenant": {newToken(dialtonev1.Principal_PRINCIPAL_BILLING, "absent"), refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"}},
	} {
		_, err := b.admins.CreateToken(as(t.Context(), b.admin), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	token, id := b.a.billing(), ask[string](t, b, `SELECT token_id::text FROM tokens WHERE tenant_id = $1 AND principal = 'BILLING'`, b.a.ID)
	_, err := b.admins.GetTenant(as(t.Context(), token), &dialtonev1.GetTenantRequest{})
	must(t, err)
	request := revoke(id)

	response, err := b.admins.RevokeToken(ctx, request)
	must(t, err)
	if response.GetToken().GetRevokeTime() == nil {
		t.Errorf("%v", response)
	}
	_, err = b.admins.GetTenant(as(t.Context(), token), &dialtonev1.GetTenantRequest{})
	wantRefusal(t, err, refusal{Code: codes.Unauthenticated, Reason: "UNAUTHENTICATED"})
	for _, again := range []*dialtonev1.RevokeTokenRequest{request, revoke(id)} {
		repeated, err := b.admins.RevokeToken(ctx, again)
		must(t, err)
		if !proto.Equal(repeated, response) {
			t.Errorf("again: %v", repeated)
		}
	}
	_, err = b.admins.RevokeToken(ctx, revoke(uuid.NewString()))
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "TOKEN_NOT_FOUND"})
	_, err = b.admins.RevokeToken(ctx, &dialtonev1.RevokeTokenRequest{TokenId: "x"})
	wantRefusal(t, err, invalid(map[string]string{"request_id": "FIELD_REQUIRED", "token_id": "FIELD_MALFORMED", "reason": "FIELD_REQUIRED"}))
	// Without an ADMIN token nobody could make another.
	last := ask[string](t, b, `SELECT token_id::text FROM tokens WHERE principal = 'ADMIN'`)
	_, err = b.admins.RevokeToken(ctx, revoke(last))
	wantRefusal(t, err, refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"})
	_, err = b.admins.CreateToken(ctx, newToken(dialtonev1.Principal_PRINCIPAL_ADMIN, ""))
	must(t, err)
	_, err = b.admins.RevokeToken(ctx, revoke(last))
	must(t, err)
}

func TestListTokens_Pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.admin)
	seen := map[string]bool{}
	request := &dialtonev1.ListTokensRequest{PageSize: 2}
	for {
		response, err := b.admins.ListTokens(ctx, request)
		must(t, err)
		for _, token := range response.GetTokens() {
			seen[token.GetTokenId()] = true
		}
		if request.PageToken = response.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	// ADMIN's and four of each tenant.
	if len(seen) != 9 {
		t.Errorf("saw %d tokens", len(seen))
	}
	_, err := b.admins.ListTokens(ctx, &dialtonev1.ListTokensRequest{TenantId: "absent"})
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"})
}
