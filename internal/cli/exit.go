package cli

import (
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The exit codes. Scripts hang on them: they never change their meaning.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitConflict    = 5
	exitTryAgain    = 6
	exitInterrupted = 130
)

const exitHelp = `What each exit code means:

  0    done; for a watch: the activation SUCCEEDED
  1    failed; for a watch: the activation ended otherwise
  2    usage: the command line, or a field that the server does not accept
  3    not found: no such subscription, activation, tenant or token
  4    denied: no token, one that does not work, or one that may not do this
  5    conflict: what is there already does not allow it (an activation in progress, a
       subscription that is not pending, too late to cancel, an answer to a question that
       has changed)
  6    try again: the server cannot be reached, is busy, or did not answer in time;
       the same command with the same --request-id is always safe
  130  interrupted by Ctrl-C; what was accepted goes on

After 6, a call that changes something may have been accepted without our knowing.
Repeat it with the --request-id that it showed, and it happens once.

Example:

  id=$(uuidgen)
  until dialtone launch mobile-activation --request-id "$id" \
      --subscription sub-1001 --imei 490154203237518 --zip 90012
  do
    [ $? -eq 6 ] || break
    sleep 5
  done`

// usageError is a command line that cannot be understood.
type usageError struct {
	text string
	// help is the command line that explains.
	help string
}

// Error is the text.
func (e *usageError) Error() string { return e.text }

// exitError is an end with a code of its own and words for people.
type exitError struct {
	code int
	text string
	// next is what to do, as sentences or command lines.
	next []string
}

// Error is the text.
func (e *exitError) Error() string { return e.text }

// exitCode gives the code of an end.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if end, ok := errors.AsType[*exitError](err); ok {
		return end.code
	}
	refusal, ok := status.FromError(err)
	if !ok {
		return exitFailed
	}
	return statusExit(refusal.Code())
}

// statusExit gives the exit code of a gRPC code.
func statusExit(code codes.Code) int {
	switch code {
	case codes.OK:
		return exitOK
	case codes.InvalidArgument:
		return exitUsage
	case codes.NotFound:
		return exitNotFound
	case codes.Unauthenticated, codes.PermissionDenied:
		return exitDenied
	case codes.AlreadyExists, codes.FailedPrecondition:
		return exitConflict
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
		return exitTryAgain
	case codes.Canceled, codes.Unknown, codes.Aborted, codes.OutOfRange, codes.Unimplemented, codes.Internal, codes.DataLoss:
		return exitFailed
	}
	return exitFailed
}
