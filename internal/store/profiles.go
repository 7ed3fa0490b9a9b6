package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Refusals about profiles.
var (
	ErrProfileNotFound = fault.New(fault.NotFound, "PROFILE_NOT_FOUND", "The activation holds no eSIM profile.")
	ErrICCIDTaken      = fault.New(fault.Conflict, "ICCID_TAKEN",
		"The SM-DP+ gave an ICCID that another activation holds. Ask the SM-DP+ before going on.")
)

const profileColumns = `profile_id, activation_id, iccid, profile_type, state, install_state, updated_at`

func scanProfile(row pgx.CollectableRow) (p mobile.Profile, err error) {
	var activation *mobile.ActivationID
	err = row.Scan(&p.ID, &activation, &p.ICCID, &p.ProfileType, &p.State, &p.InstallState, &p.Updated)
	p.Activation = value(activation)
	return p, err
}

// ReserveProfile keeps the profile that the SM-DP+ ordered for an activation, with the
// matching id under which it is to be confirmed. Twice is once: the first row stays. It
// refuses ErrICCIDTaken.
func (s *Store) ReserveProfile(ctx context.Context, tenant mobile.TenantID, p mobile.Profile, matchingID string) (mobile.Profile, error) {
	p.ID = uuid.Must(uuid.NewV7()).String()
	sealed, err := s.seal(matchingID, "profile.matching_id", tenant, p.ID)
	if err != nil {
		return p, err
	}
	n, err := s.exec(ctx, `
		INSERT INTO profiles (profile_id, tenant_id, activation_id, iccid, profile_type, state, install_state,
		                      matching_id_sealed, created_at, updated_at)
		VALUES (@id, @tenant, @activation, @iccid, @type, 'RESERVED', @install, @matching, @now, @now)
		ON CONFLICT (iccid) WHERE state <> 'RETURNED' DO NOTHING`, pgx.StrictNamedArgs{
		"id": p.ID, "tenant": tenant, "activation": p.Activation, "iccid": p.ICCID, "type": p.ProfileType,
		"install": mobile.InstallNotDownloaded, "matching": sealed, "now": s.now,
	})
	if err != nil {
		return p, fmt.Errorf("reserve a profile for %s: %w", p.Activation, err)
	}
	held, err := s.HeldProfile(ctx, p.Activation)
	switch {
	case errors.Is(err, ErrProfileNotFound):
		return p, ErrICCIDTaken
	case err != nil:
		return p, err
	case held.ICCID != p.ICCID, n == 0 && held.State == mobile.ProfileReturned:
		return p, ErrICCIDTaken
	}
	return held, s.touch(ctx, p.Activation, touchTime)
}

// HeldProfile reads the newest profile of an activation, given back or not. It refuses
// ErrProfileNotFound.
func (s *Store) HeldProfile(ctx context.Context, id mobile.ActivationID) (mobile.Profile, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+profileColumns+`
		FROM profiles
		WHERE activation_id = @id
		ORDER BY created_at DESC
		LIMIT 1`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return mobile.Profile{}, fmt.Errorf("read the profile of %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanProfile)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Profile{}, ErrProfileNotFound
	case err != nil:
		return mobile.Profile{}, fmt.Errorf("read the profile of %s: %w", id, err)
	}
	return p, nil
}

// MatchingID opens the matching id of a profile.
func (s *Store) MatchingID(ctx context.Context, tenant mobile.TenantID, p mobile.Profile) (string, error) {
	var sealed []byte
	if err := s.tx.QueryRow(ctx, `SELECT matching_id_sealed FROM profiles WHERE profile_id = @id`,
		pgx.StrictNamedArgs{"id": p.ID}).Scan(&sealed); err != nil {
		return "", fmt.Errorf("read the matching id of profile %s: %w", p.ID, err)
	}
	return s.unseal(sealed, "profile.matching_id", tenant, p.ID)
}

// ReleaseProfile keeps the activation code of a profile that can now be downloaded.
func (s *Store) ReleaseProfile(ctx context.Context, tenant mobile.TenantID, p mobile.Profile, code mobile.ActivationCode) error {
	sealed, err := s.seal(code.LPA(), "profile.activation_code", tenant, p.ID)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE profiles
		SET state = 'RELEASED', activation_code_sealed = @code, updated_at = @now
		WHERE profile_id = @id AND state = 'RESERVED'`, pgx.StrictNamedArgs{"id": p.ID, "code": sealed, "now": s.now}); err != nil {
		return fmt.Errorf("release profile %s: %w", p.ID, err)
	}
	return s.touch(ctx, p.Activation, touchTime)
}

// ActivationCode opens the activation code of a profile. It refuses ErrProfileNotFound when
// the profile has none yet.
func (s *Store) ActivationCode(ctx context.Context, tenant mobile.TenantID, p mobile.Profile) (mobile.ActivationCode, error) {
	var sealed []byte
	if err := s.tx.QueryRow(ctx, `SELECT activation_code_sealed FROM profiles WHERE profile_id = @id`,
		pgx.StrictNamedArgs{"id": p.ID}).Scan(&sealed); err != nil {
		return mobile.ActivationCode{}, fmt.Errorf("read the activation code of profile %s: %w", p.ID, err)
	}
	if sealed == nil {
		return mobile.ActivationCode{}, ErrProfileNotFound
	}
	lpa, err := s.unseal(sealed, "profile.activation_code", tenant, p.ID)
	if err != nil {
		return mobile.ActivationCode{}, err
	}
	return mobile.ParseActivationCode(lpa)
}

// GiveBackProfile says what became of a profile that was given back: RETURNED or RETIRED.
// The first word stays: after RETURNED somebody else may hold it, after RETIRED nobody may.
func (s *Store) GiveBackProfile(ctx context.Context, p mobile.Profile, state mobile.ProfileState) error {
	if _, err := s.exec(ctx, `
		UPDATE profiles
		SET state = @state, activation_code_sealed = NULL, updated_at = @now
		WHERE profile_id = @id AND state IN ('RESERVED', 'RELEASED')`, pgx.StrictNamedArgs{"id": p.ID, "state": state, "now": s.now}); err != nil {
		return fmt.Errorf("give back profile %s: %w", p.ID, err)
	}
	return s.touch(ctx, p.Activation, touchTime)
}

// RecordInstall moves the install state of the profile with this ICCID by a notification of
// the SM-DP+, never backwards, and tells the feed. It gives the activation that holds it;
// false when nobody does. InSystem only.
func (s *Store) RecordInstall(ctx context.Context, iccid mobile.ICCID, move func(mobile.InstallState) mobile.InstallState) (mobile.ActivationID, bool, error) {
	var p mobile.Profile
	var tenant mobile.TenantID
	var subscription mobile.SubscriptionID
	var account string
	err := s.tx.QueryRow(ctx, `
		SELECT p.profile_id, p.activation_id, p.install_state, p.tenant_id, a.subscription_id, a.account_id
		FROM profiles p
		JOIN activations a ON a.activation_id = p.activation_id
		WHERE p.iccid = @iccid AND p.state <> 'RETURNED'
		FOR UPDATE OF p`, pgx.StrictNamedArgs{"iccid": iccid}).
		Scan(&p.ID, &p.Activation, &p.InstallState, &tenant, &subscription, &account)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("find a profile by its ICCID: %w", err)
	}
	to := move(p.InstallState)
	if to == p.InstallState {
		return p.Activation, true, nil
	}
	if _, err := s.exec(ctx, `UPDATE profiles SET install_state = @to, updated_at = @now WHERE profile_id = @id`,
		pgx.StrictNamedArgs{"id": p.ID, "to": to, "now": s.now}); err != nil {
		return "", false, fmt.Errorf("move the install state of profile %s: %w", p.ID, err)
	}
	kind := mobile.EventProfileStateChanged
	if to == mobile.InstallInstalled {
		kind = mobile.EventProfileInstalled
	}
	if err := s.emit(ctx, mobile.Event{
		Tenant: tenant, Type: kind, Activation: p.Activation, Subscription: subscription,
		Data: mobile.EventData{
			AccountID: account, ICCIDLast4: iccid.Last4(), InstallState: to, PreviousInstallState: p.InstallState,
		},
	}); err != nil {
		return "", false, err
	}
	return p.Activation, true, s.touch(ctx, p.Activation, touchTime)
}

// profiles reads the newest profile of each activation.
func (s *Store) profiles(ctx context.Context, ids []string) (map[mobile.ActivationID]mobile.Profile, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT DISTINCT ON (activation_id) `+profileColumns+`
		FROM profiles
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY activation_id, created_at DESC`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanProfile)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	all := make(map[mobile.ActivationID]mobile.Profile, len(list))
	for _, p := range list {
		all[p.Activation] = p
	}
	return all, nil
}
