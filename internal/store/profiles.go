package store

import (
	"context"
	"errors"
	"fmt"
	"time"

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

const profileColumns = `profile_id, coalesce(activation_id, leaked_for)::text, coalesce(follow_up_id::text, ''), coalesce(iccid, ''),
	profile_type, state, install_state, adopted_at, imported_at, source, detail, order_reference, created_at, updated_at,
	install_at, install_detail`

func scanProfile(row pgx.CollectableRow) (p mobile.Profile, err error) {
	var activation *mobile.ActivationID
	var adopted, imported, moved *time.Time
	err = row.Scan(&p.ID, &activation, &p.FollowUp, &p.ICCID, &p.ProfileType, &p.State, &p.InstallState, &adopted, &imported,
		&p.Source, &p.Detail, &p.OrderReference, &p.Created, &p.Updated, &moved, &p.InstallDetail)
	p.Activation, p.Adopted, p.Imported, p.InstallMoved = value(activation), value(adopted), value(imported), value(moved)
	return p, err
}

// ReserveProfile keeps the profile that the SM-DP+ ordered for an activation or a follow-up,
// with the matching id under which it is to be confirmed. Twice is once: the first row stays.
// It refuses ErrICCIDTaken.
func (s *Store) ReserveProfile(ctx context.Context, tenant mobile.TenantID, p mobile.Profile, matchingID string) (mobile.Profile, error) {
	p.ID = uuid.Must(uuid.NewV7()).String()
	sealed, err := s.seal(matchingID, "profile.matching_id", tenant, p.ID)
	if err != nil {
		return p, err
	}
	if p.FollowUp == "" {
		p.Adopted = s.now
	}
	// It may have been imported since: then it is taken out of the stock.
	if _, err := s.exec(ctx, `
		UPDATE profiles SET state = 'RETURNED', detail = 'It was ordered before it was imported', updated_at = @now
		WHERE tenant_id = @tenant AND iccid = @iccid AND state = 'AVAILABLE'`,
		pgx.StrictNamedArgs{"tenant": tenant, "iccid": p.ICCID, "now": s.now}); err != nil {
		return p, fmt.Errorf("take a profile out of the stock: %w", err)
	}
	n, err := s.exec(ctx, `
		INSERT INTO profiles (profile_id, tenant_id, activation_id, follow_up_id, iccid, profile_type, state, install_state,
		                      matching_id_sealed, order_reference, adopted_at, created_at, updated_at)
		VALUES (@id, @tenant, @activation, @follow_up, @iccid, @type, 'RESERVED', @install, @matching, @order, @adopted, @now, @now)
		ON CONFLICT (iccid) WHERE state <> 'RETURNED' DO NOTHING`, pgx.StrictNamedArgs{
		"id": p.ID, "tenant": tenant, "activation": p.Activation, "follow_up": emptyNull(string(p.FollowUp)),
		"iccid": p.ICCID, "type": p.ProfileType, "install": mobile.InstallNotDownloaded, "matching": sealed,
		"order": p.OrderReference, "adopted": zeroNull(p.Adopted), "now": s.now,
	})
	if err != nil {
		return p, fmt.Errorf("reserve a profile for %s: %w", p.Activation, err)
	}
	held, err := s.HeldProfile(ctx, p.Activation, p.FollowUp)
	switch {
	case errors.Is(err, ErrProfileNotFound):
		return p, ErrICCIDTaken
	case err != nil:
		return p, err
	case held.ICCID != p.ICCID, n == 0 && held.State != mobile.ProfileReserved && held.State != mobile.ProfileReleased:
		return p, ErrICCIDTaken
	}
	return held, s.touch(ctx, p.Activation, touchTime)
}

// HeldProfile reads the profile that was taken for an activation's own run, or for a follow-up:
// the one that is held, else the one that was given back last. It refuses ErrProfileNotFound.
func (s *Store) HeldProfile(ctx context.Context, id mobile.ActivationID, followUp mobile.FollowUpID) (mobile.Profile, error) {
	return s.profile(ctx, `
		WHERE activation_id = @id AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		ORDER BY state IN ('RESERVED', 'RELEASED') DESC, updated_at DESC, profile_id DESC
		LIMIT 1`, pgx.StrictNamedArgs{"id": id, "follow_up": emptyNull(string(followUp))})
}

// CurrentProfile reads the profile that is an activation's own now: the one that was adopted
// last. It refuses ErrProfileNotFound.
func (s *Store) CurrentProfile(ctx context.Context, id mobile.ActivationID) (mobile.Profile, error) {
	return s.profile(ctx, `
		WHERE activation_id = @id AND adopted_at IS NOT NULL
		ORDER BY adopted_at DESC, created_at DESC
		LIMIT 1`, pgx.StrictNamedArgs{"id": id})
}

// ProfileByID reads a profile. It refuses ErrProfileNotFound.
func (s *Store) ProfileByID(ctx context.Context, id string) (mobile.Profile, error) {
	return s.profile(ctx, `WHERE profile_id = @id`, pgx.StrictNamedArgs{"id": id})
}

func (s *Store) profile(ctx context.Context, which string, args pgx.StrictNamedArgs) (mobile.Profile, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+profileColumns+` FROM profiles `+which, args)
	if err != nil {
		return mobile.Profile{}, fmt.Errorf("read a profile: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanProfile)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Profile{}, ErrProfileNotFound
	case err != nil:
		return mobile.Profile{}, fmt.Errorf("read a profile: %w", err)
	}
	return p, nil
}

// ICCIDHeld tells whether a profile with this ICCID is in anybody's hands: it is not for
// another activation. A tenant sees its own only; the index sees all.
func (s *Store) ICCIDHeld(ctx context.Context, iccid mobile.ICCID) (held bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM profiles WHERE iccid = @iccid AND state NOT IN ('RETURNED', 'AVAILABLE'))`,
		pgx.StrictNamedArgs{"iccid": iccid}).Scan(&held)
	if err != nil {
		return false, fmt.Errorf("look for an ICCID: %w", err)
	}
	return held, nil
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

// GiveBackProfile says what became of a profile that was given back, and why: RETURNED or
// RETIRED. The first word stays: after RETURNED somebody else may hold it, after RETIRED
// nobody may. One of our own stock that comes back unused is in the stock again.
func (s *Store) GiveBackProfile(ctx context.Context, p mobile.Profile, state mobile.ProfileState, why string) error {
	n, err := s.exec(ctx, `
		UPDATE profiles
		SET state = @state, activation_code_sealed = NULL, detail = @why, updated_at = @now
		WHERE profile_id = @id AND state IN ('RESERVED', 'RELEASED')`, pgx.StrictNamedArgs{
		"id": p.ID, "state": state, "why": why, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("give back profile %s: %w", p.ID, err)
	}
	if n == 1 && state == mobile.ProfileReturned {
		if err := s.restock(ctx, p); err != nil {
			return err
		}
	}
	return s.touch(ctx, p.Activation, touchTime)
}

// restock puts a profile of our own stock that was given back unused into the stock again, as
// a row of its own: the old one tells who had it.
func (s *Store) restock(ctx context.Context, p mobile.Profile) error {
	_, err := s.exec(ctx, `
		INSERT INTO profiles (profile_id, tenant_id, iccid, profile_type, state, install_state, imported_at, source,
		                      adopted_at, created_at, updated_at)
		SELECT @id, tenant_id, iccid, profile_type, 'AVAILABLE', @install, imported_at, source, NULL, @now, @now
		FROM profiles
		WHERE profile_id = @returned AND imported_at IS NOT NULL
		ON CONFLICT (iccid) WHERE state <> 'RETURNED' DO NOTHING`, pgx.StrictNamedArgs{
		"id": uuid.Must(uuid.NewV7()), "returned": p.ID, "install": mobile.InstallNotDownloaded, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("put profile %s back into the stock: %w", p.ID, err)
	}
	return nil
}

// LeakProfile writes an order off whose answer was lost: there may be a profile that nobody
// here can name. It is listed until somebody settles it with the SM-DP+'s owner.
func (s *Store) LeakProfile(ctx context.Context, tenant mobile.TenantID, p mobile.Profile) error {
	_, err := s.exec(ctx, `
		INSERT INTO profiles (profile_id, tenant_id, leaked_for, follow_up_id, profile_type, state, install_state, detail,
		                      order_reference, adopted_at, created_at, updated_at)
		VALUES (@id, @tenant, @activation, @follow_up, @type, 'LEAKED', @install, @detail, @order, NULL, @now, @now)`,
		pgx.StrictNamedArgs{
			"id": uuid.Must(uuid.NewV7()), "tenant": tenant, "activation": p.Activation,
			"follow_up": emptyNull(string(p.FollowUp)), "type": p.ProfileType, "install": mobile.InstallUnknown,
			"detail": p.Detail, "order": p.OrderReference, "now": s.now,
		})
	if err != nil {
		return fmt.Errorf("write off an order of %s: %w", p.Activation, err)
	}
	return s.touch(ctx, p.Activation, touchTime)
}

// ProfileOrdered keeps the call identifier under which a profile of our stock was ordered.
func (s *Store) ProfileOrdered(ctx context.Context, p mobile.Profile, reference string) error {
	if _, err := s.exec(ctx, `UPDATE profiles SET order_reference = @reference, updated_at = @now WHERE profile_id = @id`,
		pgx.StrictNamedArgs{"id": p.ID, "reference": reference, "now": s.now}); err != nil {
		return fmt.Errorf("note the order of profile %s: %w", p.ID, err)
	}
	return s.touch(ctx, p.Activation, touchTime)
}

// ReplacedProfile reads the profile that a follow-up's one has taken the place of and that is
// still held. It refuses ErrProfileNotFound.
func (s *Store) ReplacedProfile(ctx context.Context, id mobile.ActivationID, followUp mobile.FollowUpID) (mobile.Profile, error) {
	return s.profile(ctx, `
		WHERE activation_id = @id AND follow_up_id IS DISTINCT FROM @follow_up::uuid
		  AND adopted_at IS NOT NULL AND state IN ('RESERVED', 'RELEASED')
		ORDER BY adopted_at DESC
		LIMIT 1`, pgx.StrictNamedArgs{"id": id, "follow_up": emptyNull(string(followUp))})
}

// NameLeaked names the profile of an order that was written off: the answer came after all. An
// ICCID that somebody holds is left alone.
func (s *Store) NameLeaked(ctx context.Context, tenant mobile.TenantID, order string, iccid mobile.ICCID) error {
	if _, err := s.exec(ctx, `
		UPDATE profiles
		SET iccid = @iccid, detail = detail || '; the answer came later', updated_at = @now
		WHERE tenant_id = @tenant AND state = 'LEAKED' AND order_reference = @order AND iccid IS NULL
		  AND NOT EXISTS (SELECT FROM profiles held WHERE held.iccid = @iccid AND held.state <> 'RETURNED')`,
		pgx.StrictNamedArgs{"tenant": tenant, "order": order, "iccid": iccid, "now": s.now}); err != nil {
		return fmt.Errorf("name the profile of order %s: %w", order, err)
	}
	return nil
}

// AdoptProfile makes a replacement the activation's own, once the line shows it. Twice is
// once.
func (s *Store) AdoptProfile(ctx context.Context, p mobile.Profile, at time.Time) error {
	if _, err := s.exec(ctx, `UPDATE profiles SET adopted_at = @at, updated_at = @now WHERE profile_id = @id AND adopted_at IS NULL`,
		pgx.StrictNamedArgs{"id": p.ID, "at": at, "now": s.now}); err != nil {
		return fmt.Errorf("adopt profile %s: %w", p.ID, err)
	}
	tenant, err := s.tenantOf(ctx, p.Activation)
	if err != nil {
		return err
	}
	a, err := s.activation(ctx, tenant, Key{ID: p.Activation}, "")
	if err != nil {
		return err
	}
	// What could not be installed was the one before.
	if err := s.closeItems(ctx, a, itemsOf{kinds: []mobile.ItemKind{mobile.ItemInstallFailed}}); err != nil {
		return err
	}
	return s.touch(ctx, p.Activation, touchRevision)
}

// RecordInstall moves the install state of the profile with this ICCID by a report of the
// SM-DP+, never backwards, and tells the feed. One that will not be installed asks an
// operator; once it is installed after all, that is settled. It gives the activation that
// holds it; false when nobody does. InSystem only.
func (s *Store) RecordInstall(ctx context.Context, iccid mobile.ICCID, report InstallReport) (mobile.ActivationID, bool, error) {
	a, p, err := s.holdInstalling(ctx, iccid)
	switch {
	case errors.Is(err, ErrProfileNotFound):
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	before := p.InstallState
	p.InstallState = before.After(report.InstallReport)
	if p.InstallState == before {
		return a.ID, true, nil
	}
	if _, err := s.exec(ctx, `
		UPDATE profiles
		SET install_state = @to, install_detail = @detail, install_at = @now, updated_at = @now
		WHERE profile_id = @id`, pgx.StrictNamedArgs{
		"id": p.ID, "to": p.InstallState, "detail": report.Code, "now": s.now,
	}); err != nil {
		return "", false, fmt.Errorf("move the install state of profile %s: %w", p.ID, err)
	}
	if err := s.tellInstall(ctx, a, p, before); err != nil {
		return "", false, err
	}
	return a.ID, true, s.askAboutInstall(ctx, a, p, report.Code)
}

// profiles reads the profile that is each activation's own now.
func (s *Store) profiles(ctx context.Context, ids []string) (map[mobile.ActivationID]mobile.Profile, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+profileColumns+`
		FROM profiles
		WHERE activation_id = ANY (@ids::uuid[]) AND adopted_at IS NOT NULL
		ORDER BY adopted_at, created_at`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanProfile)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	all := make(map[mobile.ActivationID]mobile.Profile, len(list))
	for _, p := range list {
		if before, ok := all[p.Activation]; ok && p.FollowUp != "" {
			p.Generation = before.Generation + 1
		}
		all[p.Activation] = p
	}
	return all, nil
}
