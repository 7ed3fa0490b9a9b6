package server

import (
	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// inventoryProfile shows an eSIM of our books, its ICCID in full: whoever speaks to the
// SM-DP+'s owner needs it.
func (show) inventoryProfile(p mobile.Profile) *dialtonev1.InventoryProfile {
	return &dialtonev1.InventoryProfile{
		Iccid:          string(p.ICCID),
		ProfileType:    p.ProfileType,
		State:          profileState(p.State),
		InstallState:   installState(p.InstallState),
		ActivationId:   string(p.Activation),
		Imported:       !p.Imported.IsZero(),
		Source:         p.Source,
		Detail:         p.Detail,
		OrderReference: p.OrderReference,
		CreateTime:     instant(p.Created),
		UpdateTime:     instant(p.Updated),
	}
}

func (show) imported(came store.Import) *dialtonev1.ImportProfilesResponse {
	response := &dialtonev1.ImportProfilesResponse{
		ImportedCount:  int32(came.Imported),
		KnownCount:     int32(came.Known),
		AvailableCount: int32(came.Available),
	}
	for _, iccid := range came.Refused {
		response.RefusedIccids = append(response.RefusedIccids, string(iccid))
	}
	return response
}
