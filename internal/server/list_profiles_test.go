package server_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// inventory gives a tenant three profiles in the stock, takes the first, and loses one that
// was ordered by type.
func (b *bundle) inventory(t *testing.T, h house, from int) mobile.Activation {
	t.Helper()
	_, err := b.admins.ImportProfiles(as(t.Context(), h.operator()), delivery(iccids(from, 3)...))
	must(t, err)
	a := b.launched(t, h)
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		_, _, err := s.TakeProfile(ctx, h.ID, storetest.ProfileType, a.ID, "", "MATCHING")
		return err
	})
	b.record(t, h.ID, func(ctx context.Context, s *store.Store) error {
		return s.LeakProfile(ctx, h.ID, mobile.Profile{
			Activation: a.ID, ProfileType: "BY-TYPE", Detail: "The answer was lost.", OrderReference: "call-1",
		})
	})
	return a
}

func iccidsIn(response *dialtonev1.ListProfilesResponse) []string {
	var all []string
	for _, p := range response.GetProfiles() {
		all = append(all, p.GetIccid())
	}
	return all
}

func TestListProfiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.inventory(t, b.a, 1)
	b.inventory(t, b.b, 11)
	ids := iccids(1, 3)
	const leaked, reserved = dialtonev1.ProfileState_PROFILE_STATE_LEAKED, dialtonev1.ProfileState_PROFILE_STATE_RESERVED

	for name, test := range map[string]struct {
		request *dialtonev1.ListProfilesRequest
		want    []string // Newest change first.
	}{
		"all":          {&dialtonev1.ListProfilesRequest{}, []string{"", ids[0], ids[2], ids[1]}},
		"its own":      {&dialtonev1.ListProfilesRequest{TenantId: string(b.a.ID)}, []string{"", ids[0], ids[2], ids[1]}},
		"states":       {&dialtonev1.ListProfilesRequest{States: []dialtonev1.ProfileState{leaked, reserved}}, []string{"", ids[0]}},
		"any state":    {&dialtonev1.ListProfilesRequest{States: []dialtonev1.ProfileState{leaked, 0}}, []string{"", ids[0], ids[2], ids[1]}},
		"type":         {&dialtonev1.ListProfilesRequest{ProfileType: "BY-TYPE"}, []string{""}},
		"ICCID":        {&dialtonev1.ListProfilesRequest{Iccid: " " + ids[2] + " "}, ids[2:]},
		"another's":    {&dialtonev1.ListProfilesRequest{Iccid: iccids(11, 1)[0]}, nil},
		"activation":   {&dialtonev1.ListProfilesRequest{ActivationId: string(a.ID)}, []string{"", ids[0]}},
		"installation": {&dialtonev1.ListProfilesRequest{InstallStates: []dialtonev1.InstallState{dialtonev1.InstallState_INSTALL_STATE_UNKNOWN}}, []string{""}},
	} {
		response, err := b.admins.ListProfiles(as(t.Context(), b.a.operator()), test.request)
		t.Run(name, func(t *testing.T) {
			must(t, err)
			if diff := cmp.Diff(test.want, iccidsIn(response)); diff != "" || response.GetNextPageToken() != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	byAdmin, err := b.admins.ListProfiles(as(t.Context(), b.admin), &dialtonev1.ListProfilesRequest{TenantId: string(b.a.ID)})
	must(t, err)
	want := []*dialtonev1.InventoryProfile{
		{
			ProfileType: "BY-TYPE", State: leaked, InstallState: dialtonev1.InstallState_INSTALL_STATE_UNKNOWN,
			ActivationId: string(a.ID), Detail: "The answer was lost.", OrderReference: "call-1",
		},
		{
			Iccid: ids[0], ProfileType: storetest.ProfileType, State: reserved, ActivationId: string(a.ID), Imported: true,
			InstallState: dialtonev1.InstallState_INSTALL_STATE_NOT_DOWNLOADED, Source: "order 4711",
		},
	}
	got := byAdmin.GetProfiles()
	if diff := cmp.Diff(want, got[:2], protocmp.Transform(), protocmp.IgnoreFields(want[0], "create_time", "update_time")); diff != "" {
		t.Errorf("shown: -want +got\n%s", diff)
	}
	if created, changed := got[1].GetCreateTime(), got[1].GetUpdateTime(); !changed.AsTime().After(created.AsTime()) {
		t.Errorf("imported at %v, taken at %v", created, changed)
	}
}

func TestListProfiles_Pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inventory(t, b.a, 1)
	ctx := as(t.Context(), b.a.operator())
	var seen []string

	request := &dialtonev1.ListProfilesRequest{PageSize: 1}
	for {
		response, err := b.admins.ListProfiles(ctx, request)
		must(t, err)
		seen = append(seen, iccidsIn(response)...)
		if request.PageToken = response.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}

	ids := iccids(1, 3)
	if diff := cmp.Diff([]string{"", ids[0], ids[2], ids[1]}, seen); diff != "" {
		t.Errorf("in pages: -want +got\n%s", diff)
	}
	// A token is good for the tenant and the filter that it came from.
	first, err := b.admins.ListProfiles(ctx, &dialtonev1.ListProfilesRequest{PageSize: 1})
	must(t, err)
	wrong := invalid(map[string]string{"page_token": "FIELD_MALFORMED"})
	_, err = b.admins.ListProfiles(ctx, &dialtonev1.ListProfilesRequest{ProfileType: "BY-TYPE", PageToken: first.GetNextPageToken()})
	wantRefusal(t, err, wrong)
	_, err = b.admins.ListProfiles(as(t.Context(), b.b.operator()), &dialtonev1.ListProfilesRequest{PageToken: first.GetNextPageToken()})
	wantRefusal(t, err, wrong)
}

func TestListProfiles_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	operator, noTenant := b.a.operator(), refusal{Code: codes.NotFound, Reason: "TENANT_NOT_FOUND"}

	for name, test := range map[string]struct {
		token   string
		request *dialtonev1.ListProfilesRequest
		want    refusal
	}{
		"fields": {operator, &dialtonev1.ListProfilesRequest{
			PageSize: -1, Iccid: "8901000000000000016", ActivationId: "x", ProfileType: "a\nb",
			States: []dialtonev1.ProfileState{99}, InstallStates: []dialtonev1.InstallState{99},
		}, invalid(map[string]string{
			"page_size": "FIELD_MALFORMED", "iccid": "ICCID_NOT_VALID", "activation_id": "FIELD_MALFORMED",
			"profile_type": "FIELD_CONTROL_CHARACTER", "states": "FIELD_MALFORMED", "install_states": "FIELD_MALFORMED",
		})},
		"another tenant":     {operator, &dialtonev1.ListProfilesRequest{TenantId: string(b.b.ID)}, noTenant},
		"admin without one":  {b.admin, &dialtonev1.ListProfilesRequest{}, invalid(map[string]string{"tenant_id": "FIELD_REQUIRED"})},
		"admin, an absent":   {b.admin, &dialtonev1.ListProfilesRequest{TenantId: "absent"}, noTenant},
		"nobody's, by admin": {b.admin, &dialtonev1.ListProfilesRequest{TenantId: "absent", ActivationId: uuid.NewString()}, noTenant},
	} {
		_, err := b.admins.ListProfiles(as(t.Context(), test.token), test.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, test.want) })
	}
}
