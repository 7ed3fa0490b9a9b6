package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// InstallReport is what the SM-DP+ told about the way of a profile into a phone.
type InstallReport struct {
	mobile.InstallReport
	// Code is the SM-DP+'s own for what went wrong; else empty.
	Code string
}

// holdInstalling finds who holds the profile with this ICCID, and holds both until the
// transaction ends. It refuses ErrProfileNotFound when nobody does.
func (s *Store) holdInstalling(ctx context.Context, iccid mobile.ICCID) (mobile.Activation, mobile.Profile, error) {
	const held = `iccid = @iccid AND state <> 'RETURNED' AND activation_id IS NOT NULL`
	var a mobile.Activation
	err := s.tx.QueryRow(ctx, `SELECT tenant_id, activation_id FROM profiles WHERE `+held,
		pgx.StrictNamedArgs{"iccid": iccid}).Scan(&a.Tenant, &a.ID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return a, mobile.Profile{}, ErrProfileNotFound
	case err != nil:
		return a, mobile.Profile{}, fmt.Errorf("find a profile by its ICCID: %w", err)
	}
	if a, err = s.lockActivation(ctx, a.Tenant, a.ID); err != nil {
		return a, mobile.Profile{}, err
	}
	// It may have been given back before the lock was had.
	p, err := s.profile(ctx, `WHERE activation_id = @activation AND `+held+` FOR UPDATE`,
		pgx.StrictNamedArgs{"activation": a.ID, "iccid": iccid})
	return a, p, err
}

// tellInstall tells the feed how far an installation has come.
func (s *Store) tellInstall(ctx context.Context, a mobile.Activation, p mobile.Profile, before mobile.InstallState) error {
	kind := mobile.EventProfileStateChanged
	if p.InstallState == mobile.InstallInstalled {
		kind = mobile.EventProfileInstalled
	}
	err := s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: kind, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{
			AccountID: a.AccountID, ICCIDLast4: p.ICCID.Last4(), ProfileState: p.State,
			InstallState: p.InstallState, PreviousInstallState: before,
		},
	})
	if err != nil {
		return err
	}
	return s.touch(ctx, a.ID, touchTime)
}

// askAboutInstall asks an operator about a profile that will not be installed, and takes the
// question back once it is. What becomes of a profile that was replaced interests nobody.
func (s *Store) askAboutInstall(ctx context.Context, a mobile.Activation, p mobile.Profile, code string) error {
	if p.InstallState != mobile.InstallFailed && p.InstallState != mobile.InstallInstalled {
		return nil
	}
	current, err := s.CurrentProfile(ctx, a.ID)
	switch {
	case errors.Is(err, ErrProfileNotFound):
		return nil
	case err != nil:
		return err
	case current.ID != p.ID:
		return nil
	case p.InstallState == mobile.InstallInstalled:
		return s.closeItemsOf(ctx, a, mobile.ItemInstallFailed)
	}
	return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: mobile.ItemInstallFailed, Detail: installFailure(code)})
}

// installFailure says what the SM-DP+ has told about a failure.
func installFailure(code string) string {
	if code == "" {
		return ""
	}
	return "The SM-DP+ says: " + code + "."
}
