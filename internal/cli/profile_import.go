package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// iccidsPerCall is as many as the server takes at once.
const iccidsPerCall = 2000

func (a *app) profileImportCommand() *cobra.Command {
	request := &dialtonev1.ImportProfilesRequest{}
	command := &cobra.Command{
		Use:   "import FILE",
		Short: "Load ICCIDs that the SM-DP+ assigned to us into the stock",
		Long: `Load ICCIDs that the SM-DP+ assigned to us into the stock of a profile type. Reservations
take from the stock, the oldest import first, and order by type only where it is empty: an
order by ICCID can be repeated when its answer is lost, and needs no operator.

FILE, or - for stdin, has one ICCID a line, with its padding F or without: blank lines and
lines that begin with # are passed over, and of a table the first column is taken. When a
line is wrong, nothing is imported.

ICCIDs that are known are counted and left as they are, so it is safe to run the same
command again, also after it broke off in the middle. More than 2000 go in several calls,
whose request ids are made from --request-id: with the same one and the same file each call
is made once, and the answer is that of the first time.

It ends with exit code 5 when ICCIDs were refused, because another tenant has them; the
others were imported.`,
		Example: `  dialtone profile import --type DEMO-5G iccids.txt
  dialtone profile import --type DEMO-5G --source "order 4711" --dry-run delivery.csv
  dialtone profile import --type DEMO-5G --tenant demo - < iccids.txt`,
		Args: arguments("a file of ICCIDs, or - for stdin"),
	}
	flags := command.Flags()
	flags.StringVar(&request.ProfileType, "type", "", "their ES2+ profile type, as in a plan")
	addTenant(command, &request.TenantId)
	flags.StringVar(&request.Source, "source", "", "where they came from, for people: an order, a file")
	flags.BoolVar(&request.ValidateOnly, "dry-run", false, "check everything, keep nothing")
	require(command, "type")
	requestID := a.newRequest(command)
	command.RunE = a.act(keepers, func(ctx context.Context, args []string) error {
		lines, err := readICCIDFile(a.env.In, args[0])
		if err != nil {
			return &usageError{text: err.Error(), help: "dialtone profile import --help"}
		}
		request.RequestId = requestID(!request.GetValidateOnly())
		return a.importProfiles(ctx, request, lines)
	})
	return command
}

// importProfiles makes the calls, and tells what came of all of them together.
func (a *app) importProfiles(ctx context.Context, request *dialtonev1.ImportProfilesRequest, lines []iccidLine) error {
	client := dialtonev1.NewAdminServiceClient(a.connection)
	first, total, done := request.GetRequestId(), &dialtonev1.ImportProfilesResponse{}, 0
	for call := range slices.Chunk(lines, iccidsPerCall) {
		request.RequestId = requestIDOf(first, done/iccidsPerCall)
		request.Iccids = a.iccidsOf(call)
		came, err := client.ImportProfiles(ctx, request)
		if err != nil {
			if done > 0 && !request.GetValidateOnly() {
				a.say("the first %d of %d ICCIDs went through before this", done, len(lines))
			}
			return err
		}
		addImport(total, came, request.GetValidateOnly())
		done += len(call)
	}
	if err := a.answer(total, func(p *page) { p.imported(request, total) }); err != nil {
		return err
	}
	return refusedProfiles(total, len(lines))
}

// requestIDOf makes the ids of further calls out of the first one's.
func requestIDOf(first string, call int) string {
	space, err := uuid.Parse(first)
	if call == 0 || err != nil {
		return first // The server says what is wrong with it.
	}
	return uuid.NewSHA1(space, []byte("call "+strconv.Itoa(call))).String()
}

// iccidsOf gives the ICCIDs of a call, and notes the line that each came from.
func (a *app) iccidsOf(call []iccidLine) []string {
	a.fields = map[string]string{
		"tenant_id": "--tenant", "profile_type": "--type", "source": "--source", "request_id": "--request-id",
	}
	iccids := make([]string, 0, len(call))
	for i, line := range call {
		a.fields[fmt.Sprintf("iccids[%d]", i)] = fmt.Sprintf("line %d", line.number)
		iccids = append(iccids, line.iccid)
	}
	return iccids
}

func addImport(total, came *dialtonev1.ImportProfilesResponse, trial bool) {
	total.ImportedCount += came.GetImportedCount()
	total.KnownCount += came.GetKnownCount()
	total.RefusedIccids = append(total.RefusedIccids, came.GetRefusedIccids()...)
	total.AvailableCount = came.GetAvailableCount()
	if trial {
		// The trials before it have left nothing in the stock.
		total.AvailableCount += total.GetImportedCount() - came.GetImportedCount()
	}
}

func (p *page) imported(request *dialtonev1.ImportProfilesRequest, total *dialtonev1.ImportProfilesResponse) {
	if request.GetValidateOnly() {
		p.linef("It would come to this. Nothing was kept.")
	}
	p.facts(
		fact{name: "Type", value: request.GetProfileType()},
		fact{name: "Imported", value: strconv.Itoa(int(total.GetImportedCount()))},
		fact{name: "Known", value: strconv.Itoa(int(total.GetKnownCount())) + ", left as they are"},
		fact{name: "Refused", value: strconv.Itoa(len(total.GetRefusedIccids())), tone: refusedTone(total)},
		fact{name: "Available", value: strconv.Itoa(int(total.GetAvailableCount())) + " of this type now"},
	)
	if len(total.GetRefusedIccids()) == 0 {
		return
	}
	p.title("Refused, because another tenant of this installation has them")
	for _, iccid := range total.GetRefusedIccids() {
		p.linef("  %s", iccid)
	}
}

func refusedTone(total *dialtonev1.ImportProfilesResponse) tone {
	if len(total.GetRefusedIccids()) > 0 {
		return red
	}
	return plain
}

// refusedProfiles makes an end of its own of an import that is not whole.
func refusedProfiles(total *dialtonev1.ImportProfilesResponse, all int) error {
	refused := len(total.GetRefusedIccids())
	if refused == 0 {
		return nil
	}
	return &exitError{
		code: exitConflict,
		text: fmt.Sprintf("%d of %d ICCIDs were refused: another tenant of this installation has them", refused, all),
		next: []string{"ask the SM-DP+'s owner whose they are, or look whether the file is another tenant's"},
	}
}
