-- Bringing a number along: ports, what the customer is asked and says, and what donors answer.
--
-- Code of before this migration runs on it: it knows no ports and adds to none of these tables.

-- +goose Up

-- One port-in of one number. An activation has another for each number that the customer
-- brings instead.
CREATE TABLE ports (
    port_id          uuid PRIMARY KEY,
    tenant_id        text NOT NULL,
    activation_id    uuid NOT NULL REFERENCES activations,
    phone_number     text NOT NULL,
    donor            text NOT NULL,
    state            text NOT NULL CHECK (state IN ('AWAITING_INFO', 'SUBMITTED', 'DELAYED', 'CONFIRMED', 'COMPLETED',
                         'REFUSED', 'CANCELLING', 'CANCELLED', 'EXPIRED')),
    since            timestamptz NOT NULL,
    -- One more with each change, so that of two readings the later one is known.
    version          bigint NOT NULL DEFAULT 1,
    reason           text NOT NULL DEFAULT '',
    -- The carrier's own code and words.
    code             text NOT NULL DEFAULT '',
    message_sealed   bytea,
    number_type      text NOT NULL DEFAULT '' CHECK (number_type IN ('', 'WIRELESS', 'LANDLINE', 'VOIP')),
    looked_up        text NOT NULL DEFAULT '',
    required         text[] NOT NULL DEFAULT '{}',
    earliest_at      timestamptz,
    checked_at       timestamptz,
    submitted_at     timestamptz,
    due_at           timestamptz,
    completed_at     timestamptz,
    refusals         integer NOT NULL DEFAULT 0,
    pin_refusals     integer NOT NULL DEFAULT 0,
    -- Ours and the carrier's name of the order; a carrier that takes no supplements gets
    -- another order, with another name.
    external_id      text NOT NULL DEFAULT '',
    orders           integer NOT NULL DEFAULT 0,
    reference        text NOT NULL DEFAULT '',
    -- An order is at the carrier that may still move the number.
    ordered          boolean NOT NULL DEFAULT false,
    rescheduled      boolean NOT NULL DEFAULT false,
    -- When the carrier says that what it last said became so.
    word_at          timestamptz,
    pin_expires_at   timestamptz,
    -- The port of another number that takes this one's place.
    replaced_by      uuid REFERENCES ports DEFERRABLE INITIALLY DEFERRED,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    closed_at        timestamptz,
    -- What the customer gave, and what was said about it, is gone.
    erased_at        timestamptz
);
CREATE INDEX ports_activation ON ports (activation_id, created_at, port_id);
CREATE INDEX ports_external ON ports (external_id) WHERE external_id <> '';
CREATE INDEX ports_erase ON ports (closed_at) WHERE closed_at IS NOT NULL AND erased_at IS NULL;
-- A tenant brings a number once at a time.
CREATE UNIQUE INDEX ports_open_number ON ports (tenant_id, phone_number) WHERE closed_at IS NULL AND replaced_by IS NULL;
-- And of all tenants only one has an order for it at the carrier.
CREATE UNIQUE INDEX ports_submitted_number ON ports (phone_number) WHERE ordered;

CREATE TABLE port_refusals (
    port_refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id       text NOT NULL,
    port_id         uuid NOT NULL REFERENCES ports,
    at              timestamptz NOT NULL,
    reason          text NOT NULL,
    code            text NOT NULL DEFAULT '',
    message_sealed  bytea,
    reference       text NOT NULL DEFAULT ''
);
CREATE INDEX port_refusals_port ON port_refusals (port_id, port_refusal_id);

-- What the customer is asked, one question at a time.
CREATE TABLE prompts (
    prompt_id        uuid PRIMARY KEY,
    tenant_id        text NOT NULL,
    activation_id    uuid NOT NULL REFERENCES activations,
    port_id          uuid NOT NULL REFERENCES ports,
    revision         bigint NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('PROVIDE_INFO', 'CORRECT_INFO', 'CORRECT_DEVICE', 'ACT_AT_DONOR', 'DECIDE')),
    reason           text NOT NULL DEFAULT '',
    fields           text[] NOT NULL DEFAULT '{}',
    refused          text[] NOT NULL DEFAULT '{}',
    action           text NOT NULL DEFAULT '',
    opened_at        timestamptz NOT NULL,
    deadline         timestamptz NOT NULL,
    reminders        integer NOT NULL DEFAULT 0,
    next_reminder_at timestamptz,
    -- When it was answered, or fell away.
    answered_at      timestamptz,
    CONSTRAINT prompts_revision UNIQUE (activation_id, revision)
);
CREATE UNIQUE INDEX prompts_open ON prompts (activation_id) WHERE answered_at IS NULL;

-- What the customer said: every act that got a verdict. Only accepted ones hold what was said.
CREATE TABLE submissions (
    submission_id uuid PRIMARY KEY,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    port_id       uuid NOT NULL REFERENCES ports,
    revision      bigint NOT NULL,
    act           text NOT NULL CHECK (act IN ('SUBMIT_PORTING_INFO', 'CONFIRM_DONOR_ACTION', 'CHANGE_NUMBER',
                      'CHANGE_DEVICE', 'KEEP_NEW_NUMBER', 'STOP_PORT')),
    verdict       text NOT NULL CHECK (verdict IN ('ACCEPTED', 'DUPLICATE', 'UNCHANGED', 'STALE', 'TOO_LATE')),
    -- What the donor gets: all that is held, with what was said now.
    info_sealed   bytea,
    -- By field, an HMAC of its value, to know what was refused before without reading it.
    digests       jsonb,
    -- An HMAC of what was said.
    content       bytea,
    -- What was said otherwise: another phone; the port of another number.
    imei          text NOT NULL DEFAULT '',
    other_port_id uuid REFERENCES ports,
    principal     text NOT NULL,
    actor         text NOT NULL,
    request_id    text NOT NULL,
    created_at    timestamptz NOT NULL,
    -- When the run took it up.
    taken_at      timestamptz,
    refused_at    timestamptz,
    erased_at     timestamptz
);
CREATE INDEX submissions_port ON submissions (port_id, created_at, submission_id);
-- A question is answered once; and a port is given up once.
CREATE UNIQUE INDEX submissions_port_revision ON submissions (port_id, revision)
    WHERE verdict = 'ACCEPTED' AND act NOT IN ('KEEP_NEW_NUMBER', 'STOP_PORT');
CREATE UNIQUE INDEX submissions_port_exit ON submissions (port_id)
    WHERE verdict = 'ACCEPTED' AND act IN ('KEEP_NEW_NUMBER', 'STOP_PORT');

-- A mail about a question of the customer's. One question, one mail of each kind and turn.
ALTER TABLE notices
    ADD COLUMN prompt_id uuid REFERENCES prompts,
    ADD COLUMN turn integer NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX notices_prompt ON notices (prompt_id, kind, turn) WHERE prompt_id IS NOT NULL;

ALTER TABLE partner_events
    -- The port that a carrier's event is about; empty when about none.
    ADD COLUMN port_id uuid REFERENCES ports,
    -- Why a person must look at it; empty when nobody need.
    ADD COLUMN odd text NOT NULL DEFAULT '';
CREATE INDEX partner_events_port ON partner_events (port_id) WHERE port_id IS NOT NULL AND body_sealed <> '';

-- A customer's dead link is answered with a mail that carries a new one.
ALTER TABLE follow_ups
    DROP CONSTRAINT follow_ups_kind_check,
    ADD CONSTRAINT follow_ups_kind_check CHECK (kind IN ('RESEND', 'REPLACE', 'LINK'));

GRANT SELECT, INSERT, UPDATE ON ports, port_refusals, prompts, submissions TO dialtone_tenant, dialtone_system;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['ports', 'port_refusals', 'prompts', 'submissions'] LOOP
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
