package webhook

import (
	"context"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// progress stores a download notification of the SM-DP+ and moves the profile's install
// state, never an activation's. The move goes first, because it finds whose profile it is;
// it never goes back, so that a repeat changes nothing.
func (d *door) progress(ctx context.Context, r received) error {
	if !fromSMDP(r.request) {
		return errNotTheSMDP
	}
	progress, err := esim.ParseProgress(r.body)
	if err != nil {
		return err
	}
	occurred := progress.At
	if occurred.IsZero() {
		occurred = r.now
	}
	return d.config.DB.InSystem(ctx, func(s *store.Store) error {
		holder, _, err := s.RecordInstall(ctx, progress.ICCID, store.InstallReport{
			InstallReport: progress.Report, Code: progress.Code,
		})
		if err != nil {
			return err
		}
		_, err = s.KeepPartnerEvent(ctx, store.PartnerEvent{
			Partner: mobile.PartnerSMDPPlus, DedupKey: progress.Key, Kind: "download_progress",
			Activation: holder, Body: r.body, Occurred: occurred,
		})
		return err
	})
}
