-- The record. Constraints are named, because code reads their names; times are set by the
-- store's clock, one per transaction. Columns named *_sealed hold AEAD ciphertext bound to
-- label, tenant and row.

-- +goose Up

CREATE TABLE tenants (
    tenant_id           text PRIMARY KEY CHECK (tenant_id ~ '^[A-Za-z0-9._~-]{1,64}$'),
    display_name        text NOT NULL,
    mail_from           text NOT NULL,
    mail_reply_to       text NOT NULL,
    support_phone       text NOT NULL,
    support_hours       text NOT NULL,
    portal_url_template text NOT NULL,
    time_zone           text NOT NULL,
    -- The last sequence number given out in the feed; its row lock orders the feed.
    feed_sequence       bigint NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);

CREATE TABLE plans (
    tenant_id    text NOT NULL REFERENCES tenants,
    plan         text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('MOBILE', 'INTERNET', 'OTHER')),
    carrier_plan text NOT NULL,
    profile_type text NOT NULL,
    PRIMARY KEY (tenant_id, plan)
);

CREATE TABLE subscriptions (
    tenant_id             text NOT NULL REFERENCES tenants,
    subscription_id       text NOT NULL CHECK (subscription_id ~ '^[A-Za-z0-9._~-]{1,64}$'),
    account_id            text NOT NULL,
    plan                  text NOT NULL,
    status                text NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'SUSPENDED', 'CANCELLED')),
    customer_name_sealed  bytea NOT NULL,
    customer_email_sealed bytea NOT NULL,
    phone_number          text NOT NULL DEFAULT '',
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    activated_at          timestamptz,
    cancelled_at          timestamptz,
    CONSTRAINT subscriptions_key PRIMARY KEY (tenant_id, subscription_id)
);
CREATE INDEX subscriptions_page ON subscriptions (tenant_id, created_at DESC, subscription_id DESC);

-- Accepted requests, remembered for ever. The digest is an HMAC over the normalised fields.
CREATE TABLE requests (
    -- Empty for those of ADMIN, which belongs to no tenant.
    tenant_id   text NOT NULL,
    method      text NOT NULL,
    request_id  uuid NOT NULL,
    digest      bytea NOT NULL,
    resource_id text NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT requests_key PRIMARY KEY (tenant_id, method, request_id)
);

CREATE TABLE activations (
    activation_id         uuid PRIMARY KEY,
    tenant_id             text NOT NULL,
    subscription_id       text NOT NULL,
    account_id            text NOT NULL,
    type                  text NOT NULL CHECK (type IN ('MobileActivation', 'MobilePortIn')),
    workflow_id           text NOT NULL,
    run_id                text NOT NULL DEFAULT '',
    revision              bigint NOT NULL DEFAULT 1,
    state                 text NOT NULL CHECK (state IN ('ACCEPTED', 'RUNNING', 'WAITING_FOR_CUSTOMER',
                              'WAITING_FOR_CARRIER', 'WAITING_FOR_OPERATOR', 'UNDOING', 'SUCCEEDED',
                              'CANCELLED', 'EXPIRED', 'REJECTED', 'FAILED')),
    since                 timestamptz NOT NULL,
    next                  text NOT NULL DEFAULT '',
    deadline              timestamptz,
    reason                text NOT NULL DEFAULT '',
    imei                  text NOT NULL,
    zip_code              text NOT NULL,
    -- What partners call the plan, as it was at the launch: a repeat must say the same.
    carrier_plan          text NOT NULL,
    profile_type          text NOT NULL,
    name_override_sealed  bytea,
    email_override_sealed bytea,
    policies              text NOT NULL DEFAULT '',
    launch_principal      text NOT NULL,
    launch_actor          text NOT NULL,
    launch_request_id     text NOT NULL,
    cancel_requested_at   timestamptz,
    cancel_reason_sealed  bytea,
    cancel_principal      text NOT NULL DEFAULT '',
    cancel_actor          text NOT NULL DEFAULT '',
    cancel_request_id     text NOT NULL DEFAULT '',
    line_reference        text NOT NULL DEFAULT '',
    phone_number          text NOT NULL DEFAULT '',
    live_at               timestamptz,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    ended_at              timestamptz,
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions
);
-- At most one activation of a subscription is open.
CREATE UNIQUE INDEX activations_open_subscription ON activations (tenant_id, subscription_id)
    WHERE ended_at IS NULL;
CREATE INDEX activations_page ON activations (tenant_id, created_at DESC, activation_id DESC);
CREATE INDEX activations_subscription ON activations (tenant_id, subscription_id, created_at DESC);
CREATE UNIQUE INDEX activations_workflow ON activations (workflow_id);

CREATE TABLE activation_steps (
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    position      smallint NOT NULL,
    name          text NOT NULL,
    state         text NOT NULL CHECK (state IN ('PENDING', 'RUNNING', 'RETRYING', 'WAITING', 'DONE',
                      'REFUSED', 'SKIPPED', 'UNDONE')),
    attempts      integer NOT NULL DEFAULT 0,
    started_at    timestamptz,
    ended_at      timestamptz,
    reason        text NOT NULL DEFAULT '',
    detail        text NOT NULL DEFAULT '',
    next_try_at   timestamptz,
    -- When the attempt began that wrote last; an older one comes back too late to write.
    attempt_at    timestamptz,
    PRIMARY KEY (activation_id, name)
);

-- Every change of an activation's state, for ever.
CREATE TABLE activation_events (
    activation_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id           text NOT NULL,
    activation_id       uuid NOT NULL REFERENCES activations,
    from_state          text NOT NULL,
    to_state            text NOT NULL,
    reason              text NOT NULL DEFAULT '',
    at                  timestamptz NOT NULL
);
CREATE INDEX activation_events_activation ON activation_events (activation_id, activation_event_id);

-- What the engine must still be told, in order per activation.
CREATE TABLE outbox (
    outbox_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    kind          text NOT NULL CHECK (kind IN ('START', 'INTAKE')),
    intake_id     uuid NOT NULL,
    created_at    timestamptz NOT NULL,
    leased_until  timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text NOT NULL DEFAULT '',
    done_at       timestamptz
);
CREATE INDEX outbox_open ON outbox (activation_id, outbox_id) WHERE done_at IS NULL;

-- The ledger: every act that changes something outside. Committed before the call, the
-- verdict after it.
CREATE TABLE effects (
    effect_id     uuid PRIMARY KEY,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    act           text NOT NULL,
    generation    integer NOT NULL DEFAULT 0,
    partner       text NOT NULL CHECK (partner IN ('carrier', 'smdp+', 'sendgrid')),
    settle        text NOT NULL CHECK (settle IN ('keyed', 'readable', 'evidenced', 'blind')),
    -- Empty while an attempt is under way, and after one that died.
    verdict       text NOT NULL DEFAULT '' CHECK (verdict IN ('', 'yes', 'refused', 'not_now', 'unknown')),
    -- The attempt that may write the verdict; an older one is fenced off.
    fence         integer NOT NULL DEFAULT 0,
    reference     text NOT NULL DEFAULT '',
    reason        text NOT NULL DEFAULT '',
    code          text NOT NULL DEFAULT '',
    sent_at       timestamptz,
    settled_at    timestamptz,
    -- When an attempt last ended in doubt: with an unknown outcome, or with none because it died.
    doubted_at    timestamptz,
    created_at    timestamptz NOT NULL,
    CONSTRAINT effects_key UNIQUE (tenant_id, activation_id, act, generation)
);

CREATE TABLE profiles (
    profile_id             uuid PRIMARY KEY,
    tenant_id              text NOT NULL,
    activation_id          uuid REFERENCES activations,
    iccid                  text NOT NULL,
    profile_type           text NOT NULL,
    state                  text NOT NULL CHECK (state IN ('RESERVED', 'RELEASED', 'RETURNED', 'RETIRED')),
    install_state          text NOT NULL CHECK (install_state IN ('NOT_DOWNLOADED', 'DOWNLOADED', 'INSTALLED',
                               'FAILED', 'UNKNOWN')),
    matching_id_sealed     bytea NOT NULL,
    activation_code_sealed bytea,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL
);
-- One ICCID, one holder; a profile that was returned may be allotted again.
CREATE UNIQUE INDEX profiles_iccid ON profiles (iccid) WHERE state <> 'RETURNED';
CREATE INDEX profiles_activation ON profiles (activation_id, created_at);

-- What partners told us, kept before anything is made of it.
CREATE TABLE partner_events (
    partner_event_id uuid PRIMARY KEY,
    partner          text NOT NULL CHECK (partner IN ('carrier', 'smdp+', 'sendgrid')),
    dedup_key        text NOT NULL,
    kind             text NOT NULL,
    -- Empty until matched.
    tenant_id        text NOT NULL DEFAULT '',
    activation_id    uuid REFERENCES activations,
    body_sealed      bytea NOT NULL,
    occurred_at      timestamptz NOT NULL,
    received_at      timestamptz NOT NULL,
    consumed_at      timestamptz,
    CONSTRAINT partner_events_dedup UNIQUE (partner, dedup_key)
);
CREATE INDEX partner_events_open ON partner_events (activation_id, received_at) WHERE consumed_at IS NULL;

CREATE TABLE notices (
    notice_id      uuid PRIMARY KEY,
    tenant_id      text NOT NULL,
    activation_id  uuid NOT NULL REFERENCES activations,
    kind           text NOT NULL,
    generation     integer NOT NULL DEFAULT 0,
    state          text NOT NULL CHECK (state IN ('PREPARED', 'SENT', 'DELIVERED', 'BOUNCED')),
    address_masked text NOT NULL,
    -- The whole message as it is sent, so that a resend is the same bytes.
    message_sealed bytea NOT NULL,
    message_id     text NOT NULL DEFAULT '',
    reason         text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    sent_at        timestamptz,
    settled_at     timestamptz,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT notices_key UNIQUE (activation_id, kind, generation)
);

CREATE TABLE items (
    item_id       uuid PRIMARY KEY,
    tenant_id     text NOT NULL,
    activation_id uuid NOT NULL REFERENCES activations,
    kind          text NOT NULL,
    severity      text NOT NULL CHECK (severity IN ('STRANDED', 'AT_RISK', 'ROUTINE')),
    step          text NOT NULL DEFAULT '',
    detail        text NOT NULL DEFAULT '',
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz
);
CREATE UNIQUE INDEX items_open ON items (activation_id, kind, step) WHERE closed_at IS NULL;

-- The feed. A row is shown once it has a sequence number, which the relay gives after the
-- commit, under one lock per tenant.
CREATE TABLE events (
    event_id        uuid PRIMARY KEY,
    position        bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id       text NOT NULL,
    sequence        bigint,
    type            text NOT NULL,
    activation_id   uuid REFERENCES activations,
    subscription_id text NOT NULL DEFAULT '',
    data            jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT events_sequence UNIQUE (tenant_id, sequence)
);
CREATE INDEX events_unnumbered ON events (tenant_id, position) WHERE sequence IS NULL;

-- Who did what, append-only.
CREATE TABLE audit (
    audit_id      uuid PRIMARY KEY,
    tenant_id     text NOT NULL,
    principal     text NOT NULL,
    actor         text NOT NULL,
    method        text NOT NULL,
    resource_id   text NOT NULL,
    request_id    text NOT NULL,
    reason_sealed bytea,
    at            timestamptz NOT NULL
);

CREATE TABLE tokens (
    token_id      uuid PRIMARY KEY,
    -- SHA-256 of a token of 256 random bits: nothing to guess, so nothing to slow down.
    hash          bytea NOT NULL,
    principal     text NOT NULL CHECK (principal IN ('ADMIN', 'BILLING', 'OPERATOR', 'CONSOLE',
                      'PORTAL_BACKEND', 'PORTAL')),
    -- Empty for ADMIN.
    tenant_id     text NOT NULL DEFAULT '',
    activation_id uuid REFERENCES activations,
    name          text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    -- To the hour.
    used_at       timestamptz,
    CONSTRAINT tokens_hash UNIQUE (hash),
    CHECK ((principal = 'ADMIN') = (tenant_id = '')),
    CHECK ((principal = 'PORTAL') = (activation_id IS NOT NULL))
);

-- Two roles stand behind the store's two doors. They cannot log in; the processes' user is
-- a member of both and owns nothing.
-- +goose StatementBegin
DO $$
DECLARE
    r text;
BEGIN
    FOREACH r IN ARRAY ARRAY['dialtone_tenant', 'dialtone_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
            -- Roles are the whole cluster's: another database's migration may be as far.
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', r);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT USAGE ON SCHEMA public TO dialtone_tenant, dialtone_system;
-- A tenant's role may not change what was promised for ever, who may call, or the feed's order.
GRANT SELECT, INSERT, UPDATE ON subscriptions, activations, activation_steps, effects, profiles, partner_events,
    notices, items TO dialtone_tenant, dialtone_system;
GRANT SELECT, INSERT ON requests, activation_events, audit TO dialtone_tenant, dialtone_system;
GRANT SELECT, INSERT ON outbox, events, tokens TO dialtone_tenant;
GRANT SELECT ON tenants, plans TO dialtone_tenant;
GRANT SELECT, INSERT, UPDATE ON tenants, outbox, events, tokens TO dialtone_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON plans TO dialtone_system;
GRANT SELECT ON goose_db_version TO dialtone_tenant, dialtone_system;

-- A policy for a role also holds for its members, who inherit it. So each says again whose
-- it is: until the processes' user has taken a role, it sees nothing.
-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['tenants', 'plans', 'subscriptions', 'requests', 'activations', 'activation_steps',
        'activation_events', 'outbox', 'effects', 'profiles', 'partner_events', 'notices', 'items', 'events',
        'audit', 'tokens'] LOOP
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
