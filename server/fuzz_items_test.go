package server

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzItemRequests sends arbitrary bodies to the item operations of a server that
// has the tables of the scripts. Whatever comes, the answer is a success or the
// client's fault: 500 would be a panic or an unknown error. Seeds are all requests
// of the scripts.
func FuzzItemRequests(f *testing.F) {
	operations := []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "Query", "Scan"}
	files, err := filepath.Glob("testdata/items/*")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		lines := strings.Split(string(text), "\n")
		for i := 1; i < len(lines); i++ {
			for op, name := range operations {
				if lines[i-1] == name && len(lines[i]) < 4096 {
					f.Add(uint8(op), []byte(lines[i]))
				}
			}
		}
	}
	client := newTestClient(f)
	client.must("CreateTable", createPaged)
	f.Fuzz(func(t *testing.T, op uint8, body []byte) {
		operation := operations[int(op)%len(operations)]
		status, answer := client.send(operation, string(body))
		if status != http.StatusOK && status != http.StatusBadRequest {
			t.Fatalf("%s %s\nstatus %d %s", operation, body, status, answer)
		}
	})
}
