package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool" //nolint:depguard // A floor is bare SQL.
	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// floorServerArg makes this program the floor of launches: a process of its own, as the
// front is.
const floorServerArg = "floor-server"

// floorMark stands in its environment: what bears it never starts another stand, and so never
// itself again.
const floorMark = "DIALTONE_BENCH_FLOOR=1"

// floorConnections is as many as the front's pool has.
const floorConnections = 16

// serveFloor reads where the database is from its input, serves until that closes, and says
// at which address.
func serveFloor(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	url, err := lines.ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the database's address: %w", err)
	}
	config, err := pgxpool.ParseConfig(strings.TrimSpace(url))
	if err != nil {
		return fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = floorConnections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the pool: %w", err)
	}
	defer pool.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	dialtonev1.RegisterWorkflowServiceServer(server, &inserting{pool: pool})
	go func() {
		_, _ = io.Copy(io.Discard, lines) // however it ends, nobody holds the other end
		server.Stop()
	}()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return fmt.Errorf("say the address: %w", err)
	}
	return server.Serve(listener)
}

// inserting answers a launch after one INSERT, and does nothing else.
type inserting struct {
	dialtonev1.UnimplementedWorkflowServiceServer

	pool *pgxpool.Pool
}

// LaunchWorkflow keeps the launch.
func (i *inserting) LaunchWorkflow(ctx context.Context, request *dialtonev1.LaunchWorkflowRequest) (*dialtonev1.LaunchWorkflowResponse, error) {
	id, fields := uuid.Must(uuid.NewV7()), request.GetMobileActivation()
	_, err := i.pool.Exec(ctx, `
		INSERT INTO launches (activation_id, request_id, subscription_id, imei, zip_code)
		VALUES ($1, $2, $3, $4, $5)`, id, request.GetRequestId(), fields.GetSubscriptionId(), fields.GetImei(), fields.GetZipCode())
	if err != nil {
		return nil, err
	}
	return &dialtonev1.LaunchWorkflowResponse{Workflow: &dialtonev1.Workflow{ActivationId: id.String()}}, nil
}

// floorServer is that process, seen from here.
type floorServer struct {
	process    *exec.Cmd
	stdin      io.Closer
	connection *grpc.ClientConn
	client     dialtonev1.WorkflowServiceClient
}

func startFloorServer(ctx context.Context, url string) (*floorServer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	f := &floorServer{process: exec.CommandContext(context.WithoutCancel(ctx), program, floorServerArg)}
	f.process.Env, f.process.Stderr = append(os.Environ(), floorMark), os.Stderr
	stdin, inErr := f.process.StdinPipe()
	stdout, outErr := f.process.StdoutPipe()
	if err := errors.Join(inErr, outErr, f.process.Start()); err != nil {
		return nil, fmt.Errorf("start the floor's server: %w", err)
	}
	f.stdin = stdin
	if _, err := fmt.Fprintln(stdin, url); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the floor's server its database: %w", err), f.stop())
	}
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the address of the floor's server: %w", err), f.stop())
	}
	if f.connection, err = sandbox.Dial(strings.TrimSpace(address), "nobody asks"); err != nil {
		return nil, errors.Join(err, f.stop())
	}
	f.client = dialtonev1.NewWorkflowServiceClient(f.connection)
	return f, nil
}

func (f *floorServer) stop() error {
	var err error
	if f.connection != nil {
		err = f.connection.Close()
	}
	return errors.Join(err, f.stdin.Close(), f.process.Wait())
}
