package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// tenant is a provider that the sandbox makes, so that there is one to be and one whose data
// must not be seen.
type tenant struct {
	id          string
	displayName string
	domain      string
	phone       string
	timeZone    string
	plans       []string
}

// tenants are both; the first is the one that sandbox.json and the story speak of.
func tenants() []tenant {
	return []tenant{
		{
			id: "lakeside", displayName: "Lakeside Fiber", domain: "lakeside.example", phone: "1-800-555-0100", timeZone: "America/Los_Angeles",
			plans: []string{
				"name=" + MobilePlan + ",kind=mobile,carrier-plan=CP-5G-UNLIMITED,profile-type=CONSUMER-5G",
				"name=fiber-1000,kind=internet",
			},
		},
		{
			id: "summit", displayName: "Summit Broadband", domain: "summit.example", phone: "1-800-555-0142", timeZone: "America/Denver",
			plans: []string{"name=" + MobilePlan + ",kind=mobile,carrier-plan=CP-5G-10GB,profile-type=CONSUMER-5G"},
		},
	}
}

// MobilePlan is the plan of the subscriptions that the sandbox makes.
const MobilePlan = "mobile-5g"

// makeTenants makes the tenants and their tokens with the command line, as an administrator
// would. What an earlier start made is used again.
func makeTenants(ctx context.Context, s settings, w *watchdog) error {
	admin := cli{settings: s, watchdog: w, token: s.state.AdminToken}
	for _, t := range tenants() {
		tokens, made := s.state.Tenants[t.id]
		if !made {
			if err := admin.createTenant(ctx, t, s.portalURL()); err != nil {
				return fmt.Errorf("make the tenant %s: %w", t.id, err)
			}
		}
		for _, missing := range []struct {
			principal string
			secret    *string
		}{{"billing", &tokens.Billing}, {"operator", &tokens.Operator}, {"portal-backend", &tokens.PortalBackend}} {
			if *missing.secret != "" {
				continue
			}
			var err error
			if *missing.secret, err = admin.createToken(ctx, t.id, missing.principal); err != nil {
				return fmt.Errorf("make a token of %s for %s: %w", t.id, missing.principal, err)
			}
		}
		s.state.Tenants[t.id] = tokens
		if err := s.state.save(); err != nil {
			return err
		}
	}
	return nil
}

// portalURL is where the links in mails go.
func (s settings) portalURL() string { return s.ports.url(portPortal) + "/portal?token={token}" }

// cli runs our own command line.
type cli struct {
	settings settings
	watchdog *watchdog
	token    string
}

// exitConflict is the command line's code for what is there already.
const exitConflict = 5

func (c cli) createTenant(ctx context.Context, t tenant, portal string) error {
	args := []string{
		"tenant", "create", "--id", t.id, "--display-name", t.displayName,
		"--mail-from", "mobile@" + t.domain, "--mail-reply-to", "help@" + t.domain,
		"--support-phone", t.phone, "--support-hours", "every day, 8 am to 8 pm",
		"--portal-url", portal, "--time-zone", t.timeZone,
	}
	for _, plan := range t.plans {
		args = append(args, "--plan", plan)
	}
	_, err := c.run(ctx, args...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitConflict {
		return nil // An earlier start made it and was killed before it noted that.
	}
	return err
}

func (c cli) createToken(ctx context.Context, tenant, principal string) (string, error) {
	text, err := c.run(ctx, "token", "create", "--principal", principal, "--tenant", tenant, "--name", "sandbox-"+principal)
	if err != nil {
		return "", err
	}
	var answer struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Secret == "" {
		return "", fmt.Errorf("the command line's answer has no secret: %w", err)
	}
	return answer.Secret, nil
}

// run gives what the command line answers, as JSON.
func (c cli) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.Command(c.settings.config.binary(cliName), append(args, "--output", "json")...)
	cmd.Dir = c.settings.config.Dir
	cmd.Env = append(c.settings.config.inherited(),
		"DIALTONE_ADDRESS="+c.settings.ports.address(portGRPC), "DIALTONE_TOKEN="+c.token)
	var said, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := runWatched(ctx, c.watchdog, cmd); err != nil {
		return "", fmt.Errorf("dialtone %s: %w: %s", strings.Join(args[:2], " "), err, strings.TrimSpace(complaints.String()))
	}
	return said.String(), nil
}
