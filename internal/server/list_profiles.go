package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ListProfiles pages through the eSIMs that are or were a tenant's, the newest change first.
func (r *rpcs) ListProfiles(ctx context.Context, request *dialtonev1.ListProfilesRequest) (*dialtonev1.ListProfilesResponse, error) {
	var f form
	tenant, err := f.tenant(access.From(ctx), "tenant_id", request.GetTenantId())
	if err != nil {
		return nil, err
	}
	filter := f.profileFilter(request)
	after, size := f.page(r.pages, tenant, request)
	if err := f.err(); err != nil {
		return nil, err
	}
	var profiles []mobile.Profile
	err = r.db.InTenant(ctx, tenant, func(s *store.Store) error {
		if _, err := s.Tenant(ctx, tenant); err != nil {
			return err
		}
		profiles, err = s.ListProfiles(ctx, tenant, filter, after, size+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.ListProfilesResponse{}
	for _, p := range profiles[:min(size, len(profiles))] {
		response.Profiles = append(response.Profiles, r.show.inventoryProfile(p))
	}
	if len(profiles) > size {
		last := profiles[size-1]
		response.NextPageToken = r.pages.next(tenant, request, store.Cursor{Created: last.Updated, ID: last.ID})
	}
	return response, nil
}

func (f *form) profileFilter(request *dialtonev1.ListProfilesRequest) store.ProfileFilter {
	filter := store.ProfileFilter{
		ICCID:      f.optionalICCID("iccid", request.GetIccid()),
		Activation: f.optionalActivation("activation_id", request.GetActivationId()),
	}
	if request.GetProfileType() != "" {
		filter.ProfileType = f.text("profile_type", request.GetProfileType(), profileTypeLengthMax)
	}
	filter.States = anyOf[mobile.ProfileState](f, "states", dialtonev1.ProfileState_name, "PROFILE_STATE_", request.GetStates())
	filter.InstallStates = anyOf[mobile.InstallState](f, "install_states", dialtonev1.InstallState_name, "INSTALL_STATE_", request.GetInstallStates())
	return filter
}
