-- The truth about what happened outside: deliberate repeats, an operator's decisions, the
-- stock of eSIM profiles, what is done after the end, and runs that were lost.
--
-- Code of before this migration runs on it: what it reads is as it was, and what it does not
-- write has a default.

-- +goose Up

-- When somebody last made sure that the activation's run is there.
ALTER TABLE activations ADD COLUMN looked_at timestamptz;
CREATE INDEX activations_look ON activations (looked_at NULLS FIRST) WHERE ended_at IS NULL;

-- What is to be done about an activation beside its own run, mostly after its end: a mail to
-- be sent again, an eSIM to be replaced. Each has a Temporal workflow of its own.
CREATE TABLE follow_ups (
    follow_up_id  uuid PRIMARY KEY,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    kind          text NOT NULL CHECK (kind IN ('RESEND', 'REPLACE')),
    workflow_id   text NOT NULL,
    run_id        text NOT NULL DEFAULT '',
    state         text NOT NULL CHECK (state IN ('OPEN', 'DONE', 'GIVEN_UP')),
    -- The phone that gets the new eSIM.
    imei          text NOT NULL DEFAULT '',
    policies      text NOT NULL DEFAULT '',
    principal     text NOT NULL,
    actor         text NOT NULL,
    request_id    text NOT NULL,
    looked_at     timestamptz,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz
);
CREATE INDEX follow_ups_activation ON follow_ups (activation_id, created_at);
CREATE INDEX follow_ups_look ON follow_ups (looked_at NULLS FIRST) WHERE ended_at IS NULL;
-- One eSIM is replaced at a time.
CREATE UNIQUE INDEX follow_ups_replacing ON follow_ups (activation_id) WHERE kind = 'REPLACE' AND ended_at IS NULL;

-- What the engine must be told may be about a follow-up; REPLACE ends a run first.
ALTER TABLE outbox
    ADD COLUMN follow_up_id uuid REFERENCES follow_ups,
    -- The run that a REPLACE ends: NULL before somebody has looked, empty when none was there.
    ADD COLUMN run_id text,
    DROP CONSTRAINT outbox_kind_check,
    ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('START', 'INTAKE', 'REPLACE'));

ALTER TABLE effects
    -- Whose act it is; empty: the activation's own run.
    ADD COLUMN follow_up_id uuid REFERENCES follow_ups,
    -- What it is about: a notice or a profile.
    ADD COLUMN subject_id uuid,
    -- Who told the verdict.
    ADD COLUMN settled_by text NOT NULL DEFAULT '' CHECK (settled_by IN ('', 'evidence', 'operator'));
CREATE INDEX effects_subject ON effects (subject_id) WHERE subject_id IS NOT NULL;

-- The stock: profiles that the SM-DP+ assigned to us are AVAILABLE until one is taken. LEAKED
-- is an order whose answer was lost and which was written off: its ICCID is known only if the
-- answer came later, and no activation holds it.
ALTER TABLE profiles
    ALTER COLUMN iccid DROP NOT NULL,
    ALTER COLUMN matching_id_sealed DROP NOT NULL,
    ADD COLUMN follow_up_id uuid REFERENCES follow_ups,
    -- When it became the activation's own; empty while a replacement is not yet on the line.
    ADD COLUMN adopted_at timestamptz DEFAULT now(),
    ADD COLUMN imported_at timestamptz,
    ADD COLUMN source text NOT NULL DEFAULT '',
    -- Why it is RETIRED or LEAKED, in words.
    ADD COLUMN detail text NOT NULL DEFAULT '',
    -- The call identifier of its order: what to quote to the SM-DP+'s owner.
    ADD COLUMN order_reference text NOT NULL DEFAULT '',
    ADD COLUMN leaked_for uuid REFERENCES activations,
    -- When the install state last moved, and the SM-DP+'s code for why it FAILED.
    ADD COLUMN install_at timestamptz,
    ADD COLUMN install_detail text NOT NULL DEFAULT '',
    DROP CONSTRAINT profiles_state_check,
    ADD CONSTRAINT profiles_state_check
        CHECK (state IN ('AVAILABLE', 'RESERVED', 'RELEASED', 'RETURNED', 'RETIRED', 'LEAKED')),
    ADD CONSTRAINT profiles_iccid_known CHECK (iccid IS NOT NULL OR state = 'LEAKED');
UPDATE profiles
SET adopted_at = created_at,
    install_at = CASE WHEN install_state NOT IN ('NOT_DOWNLOADED', 'UNKNOWN') THEN updated_at END;
CREATE INDEX profiles_stock ON profiles (tenant_id, profile_type, imported_at, profile_id) WHERE state = 'AVAILABLE';
CREATE INDEX profiles_page ON profiles (tenant_id, updated_at DESC, profile_id DESC);

ALTER TABLE notices
    ADD COLUMN follow_up_id uuid REFERENCES follow_ups,
    -- What was known of the installation when it was decided to send it again; else empty.
    ADD COLUMN install_state text NOT NULL DEFAULT '',
    DROP CONSTRAINT notices_state_check,
    ADD CONSTRAINT notices_state_check CHECK (state IN ('PREPARED', 'SENT', 'DELIVERED', 'BOUNCED', 'NO_WORD'));
CREATE INDEX notices_silent ON notices (sent_at) WHERE state = 'SENT';

ALTER TABLE items
    -- Whose question it is; empty: the activation's own run, or nobody's.
    ADD COLUMN follow_up_id uuid REFERENCES follow_ups,
    -- What was taken is being given back.
    ADD COLUMN undoing boolean NOT NULL DEFAULT false,
    -- The underlying reason.
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN due_at timestamptz,
    -- How a person settled it, and who; empty when it closed by itself.
    ADD COLUMN resolution text NOT NULL DEFAULT '',
    ADD COLUMN actor text NOT NULL DEFAULT '';

-- What operators ordered of a run. The id is that of the audit's row.
CREATE TABLE commands (
    command_id    uuid PRIMARY KEY REFERENCES audit,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    kind          text NOT NULL CHECK (kind IN ('RESOLVE')),
    item_id       uuid NOT NULL REFERENCES items,
    choice        text NOT NULL,
    -- What was said: a partner's reference.
    said_sealed   bytea,
    principal     text NOT NULL,
    actor         text NOT NULL,
    request_id    text NOT NULL,
    created_at    timestamptz NOT NULL,
    -- When the run carried it out, and what came of that.
    taken_at      timestamptz,
    outcome       text NOT NULL DEFAULT ''
);

GRANT SELECT, INSERT, UPDATE ON follow_ups, commands TO dialtone_tenant, dialtone_system;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['follow_ups', 'commands'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_rows ON %I TO dialtone_tenant
            USING (current_user = ''dialtone_tenant''
                   AND tenant_id = nullif(current_setting(''dialtone.tenant'', true), ''''))', t);
        EXECUTE format('CREATE POLICY system_rows ON %I TO dialtone_system
            USING (current_user = ''dialtone_system'')', t);
    END LOOP;
END
$$;
-- +goose StatementEnd
