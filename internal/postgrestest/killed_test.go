package postgrestest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/postgrestest"
)

// childVariable makes this test binary the process that is killed in TestProcessKilled.
const childVariable = "POSTGRESTEST_CHILD"

// TestChild is no test of its own: it starts a cluster, says where it is, and waits to be
// killed.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("the child of TestProcessKilled")
	}
	cluster, err := postgrestest.Start(t.Context(), postgrestest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(cluster.URL("postgres"), cluster.Dir())
	<-cluster.Done()
}

// Ensure that nothing is left of a temporary cluster when its process is killed.
func TestProcessKilled(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), childVariable+"=yes")
	said, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	conn := connect(t, address)

	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the server outlived its process: %v", err)
	}
	for exists(dir) && ctx.Err() == nil {
		<-time.After(10 * time.Millisecond)
	}
	wantAbsent(t, dir)
	_ = child.Wait() // it was killed
}
