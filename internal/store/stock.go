package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Import is what came of bringing profiles into the stock.
type Import struct {
	// Imported is how many were added.
	Imported int
	// Known is how many were in the tenant's books already.
	Known int
	// Refused are in another tenant's books, in the order in which they were given.
	Refused []mobile.ICCID
	// Available is how many of the type are free now.
	Available int
}

// ImportProfiles brings profiles that the SM-DP+ assigned to a tenant into its stock, to be
// taken in the order in which they are given. Those that are known are passed over; one that
// was given back to the SM-DP+ may have been assigned again, so it is not known.
//
// No ICCID may be there twice. They are written in the order of their digits: two imports
// of the same ones wait for each other at the first of them and cannot deadlock.
func (s *Store) ImportProfiles(ctx context.Context, tenant mobile.TenantID, profileType string, iccids []mobile.ICCID, source string) (Import, error) {
	ids := make([]string, 0, len(iccids))
	for range iccids {
		ids = append(ids, uuid.Must(uuid.NewV7()).String())
	}
	rows, err := s.tx.Query(ctx, `
		INSERT INTO profiles (profile_id, tenant_id, iccid, profile_type, state, install_state, adopted_at, imported_at,
		                      source, created_at, updated_at)
		SELECT id, @tenant, iccid, @type, 'AVAILABLE', @install, NULL, @now, @source, @now, @now
		FROM unnest(@ids::uuid[], @iccids::text[]) AS given (id, iccid)
		ORDER BY iccid
		ON CONFLICT (iccid) WHERE state <> 'RETURNED' DO NOTHING
		RETURNING iccid`, pgx.StrictNamedArgs{
		"ids": ids, "iccids": texts(iccids), "tenant": tenant, "type": profileType,
		"install": mobile.InstallNotDownloaded, "source": source, "now": s.now,
	})
	if err != nil {
		return Import{}, fmt.Errorf("import profiles for %s: %w", tenant, err)
	}
	added, err := pgx.CollectRows(rows, pgx.RowTo[mobile.ICCID])
	if err != nil {
		return Import{}, fmt.Errorf("import profiles for %s: %w", tenant, err)
	}
	return s.countImport(ctx, tenant, profileType, iccids, added)
}

// RepeatedImport tells again what came of an import that was accepted before, whatever has
// become of the profiles since.
func (s *Store) RepeatedImport(ctx context.Context, r Request, tenant mobile.TenantID, profileType string, iccids []mobile.ICCID) (Import, error) {
	// What one transaction wrote bears one time.
	rows, err := s.tx.Query(ctx, `
		SELECT DISTINCT p.iccid
		FROM profiles p
		JOIN requests r ON r.created_at = p.imported_at
		WHERE p.tenant_id = @tenant AND p.iccid = ANY (@iccids)
		  AND r.tenant_id = @caller AND r.method = @method AND r.request_id = @request`, pgx.StrictNamedArgs{
		"tenant": tenant, "iccids": texts(iccids), "caller": r.Tenant, "method": r.Method, "request": r.ID,
	})
	if err != nil {
		return Import{}, fmt.Errorf("read the import %s: %w", r.ID, err)
	}
	added, err := pgx.CollectRows(rows, pgx.RowTo[mobile.ICCID])
	if err != nil {
		return Import{}, fmt.Errorf("read the import %s: %w", r.ID, err)
	}
	return s.countImport(ctx, tenant, profileType, iccids, added)
}

// countImport sorts those that were not added. It is a statement of its own, because one that
// had to wait for another import does not see what that one wrote.
func (s *Store) countImport(ctx context.Context, tenant mobile.TenantID, profileType string, iccids, added []mobile.ICCID) (Import, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT iccid
		FROM profiles
		WHERE tenant_id = @tenant AND iccid = ANY (@iccids) AND state <> 'RETURNED'`, pgx.StrictNamedArgs{
		"tenant": tenant, "iccids": texts(iccids),
	})
	if err != nil {
		return Import{}, fmt.Errorf("look for ICCIDs of %s: %w", tenant, err)
	}
	ours, err := pgx.CollectRows(rows, pgx.RowTo[mobile.ICCID])
	if err != nil {
		return Import{}, fmt.Errorf("look for ICCIDs of %s: %w", tenant, err)
	}
	known := make(map[mobile.ICCID]bool, len(iccids))
	for _, iccid := range append(ours, added...) {
		known[iccid] = true
	}
	came := Import{Imported: len(added)}
	for _, iccid := range iccids {
		if !known[iccid] {
			came.Refused = append(came.Refused, iccid)
		}
	}
	came.Known = len(iccids) - len(added) - len(came.Refused)
	if err := s.tx.QueryRow(ctx, `
		SELECT count(*)
		FROM profiles
		WHERE tenant_id = @tenant AND profile_type = @type AND state = 'AVAILABLE'`,
		pgx.StrictNamedArgs{"tenant": tenant, "type": profileType}).Scan(&came.Available); err != nil {
		return Import{}, fmt.Errorf("count the stock of %s: %w", tenant, err)
	}
	return came, nil
}

// TakeProfile takes a profile of a type out of the stock for an activation or a follow-up,
// the oldest import first, with the matching id under which it is to be confirmed; false
// when there is none. Those that others are taking are passed over, so that nobody waits.
// Twice is once: what was taken before and is held stays, under its own matching id.
func (s *Store) TakeProfile(ctx context.Context, tenant mobile.TenantID, profileType string, activation mobile.ActivationID, followUp mobile.FollowUpID, matchingID string) (mobile.Profile, bool, error) {
	// Two tries for one activation take turns.
	if _, err := s.lockActivation(ctx, tenant, activation); err != nil {
		return mobile.Profile{}, false, err
	}
	held, err := s.profile(ctx, `
		WHERE activation_id = @activation AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		  AND state IN ('RESERVED', 'RELEASED')`, pgx.StrictNamedArgs{
		"activation": activation, "follow_up": emptyNull(string(followUp)),
	})
	if !errors.Is(err, ErrProfileNotFound) {
		return held, err == nil, err
	}
	free, err := s.profile(ctx, `
		WHERE tenant_id = @tenant AND profile_type = @type AND state = 'AVAILABLE'
		ORDER BY imported_at, profile_id
		LIMIT 1
		FOR UPDATE SKIP LOCKED`, pgx.StrictNamedArgs{"tenant": tenant, "type": profileType})
	switch {
	case errors.Is(err, ErrProfileNotFound):
		return mobile.Profile{}, false, nil
	case err != nil:
		return mobile.Profile{}, false, err
	}
	free.Activation, free.FollowUp = activation, followUp
	if err := s.reserveFree(ctx, tenant, free, matchingID); err != nil {
		return mobile.Profile{}, false, err
	}
	taken, err := s.ProfileByID(ctx, free.ID)
	if err != nil {
		return mobile.Profile{}, false, err
	}
	return taken, true, s.touch(ctx, activation, touchTime)
}

// reserveFree gives a locked profile of the stock to whom it names.
func (s *Store) reserveFree(ctx context.Context, tenant mobile.TenantID, p mobile.Profile, matchingID string) error {
	sealed, err := s.seal(matchingID, "profile.matching_id", tenant, p.ID)
	if err != nil {
		return err
	}
	if p.FollowUp == "" {
		p.Adopted = s.now
	}
	if _, err := s.exec(ctx, `
		UPDATE profiles
		SET state = 'RESERVED', activation_id = @activation, follow_up_id = @follow_up, matching_id_sealed = @matching,
		    adopted_at = @adopted, updated_at = @now
		WHERE profile_id = @id`, pgx.StrictNamedArgs{
		"id": p.ID, "activation": p.Activation, "follow_up": emptyNull(string(p.FollowUp)), "matching": sealed,
		"adopted": zeroNull(p.Adopted), "now": s.now,
	}); err != nil {
		return fmt.Errorf("take profile %s for %s: %w", p.ID, p.Activation, err)
	}
	return nil
}

// ProfileFilter narrows a list of profiles; empty fields do not.
type ProfileFilter struct {
	States        []mobile.ProfileState
	ProfileType   string
	ICCID         mobile.ICCID
	InstallStates []mobile.InstallState
	// Activation keeps what it holds, what it held last, and what was ordered for it and
	// lost.
	Activation mobile.ActivationID
}

// ListProfiles gives up to limit profiles of a tenant, the newest change first: the cursor is
// the last change of the row before, and its id.
func (s *Store) ListProfiles(ctx context.Context, tenant mobile.TenantID, f ProfileFilter, after Cursor, limit int) ([]mobile.Profile, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+profileColumns+`
		FROM profiles
		WHERE tenant_id = @tenant
		  AND (cardinality(@states::text[]) = 0 OR state = ANY (@states))
		  AND (@type = '' OR profile_type = @type)
		  AND (@iccid = '' OR iccid = @iccid)
		  AND (cardinality(@installs::text[]) = 0 OR install_state = ANY (@installs))
		  AND (@activation::uuid IS NULL OR activation_id = @activation OR leaked_for = @activation)
		  AND (@id::uuid IS NULL OR (updated_at, profile_id) < (@updated, @id))
		ORDER BY updated_at DESC, profile_id DESC
		LIMIT @limit`, pgx.StrictNamedArgs{
		"tenant": tenant, "states": texts(f.States), "type": f.ProfileType, "iccid": f.ICCID,
		"installs": texts(f.InstallStates), "activation": emptyNull(string(f.Activation)),
		"updated": after.Created, "id": emptyNull(after.ID), "limit": limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	profiles, err := pgx.CollectRows(rows, scanProfile)
	if err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	return profiles, nil
}

// ProfileCount is how many profiles of a type are in a state.
type ProfileCount struct {
	ProfileType string
	State       mobile.ProfileState
	Count       int
}

// CountProfiles counts the profiles of all tenants, by type and state. InSystem only. It
// reads the whole table: it is for a gauge that is looked at now and then.
func (s *Store) CountProfiles(ctx context.Context) ([]ProfileCount, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT profile_type, state, count(*)
		FROM profiles
		GROUP BY profile_type, state
		ORDER BY profile_type, state`)
	if err != nil {
		return nil, fmt.Errorf("count profiles: %w", err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ProfileCount])
	if err != nil {
		return nil, fmt.Errorf("count profiles: %w", err)
	}
	return counts, nil
}
