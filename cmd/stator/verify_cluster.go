package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/stator-db/stator/server"
)

// verifyCluster has a node compare all replicas of its cluster, which goes on
// serving.
func verifyCluster(p *process, endpoint string) error {
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, endpointURL(endpoint)+"/_stator/cluster/verify", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return fmt.Errorf("%s is not a node of a cluster", endpoint)
	default:
		return fmt.Errorf("%s answered %s", endpoint, response.Status)
	}
	lines := json.NewDecoder(response.Body)
	for {
		var line server.ClusterVerifyLine
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%s stopped before it was done", endpoint)
		case err != nil:
			return fmt.Errorf("the answer of %s: %w", endpoint, err)
		case line.Error != "":
			return errors.New(line.Error)
		case line.Problem != "":
			fmt.Fprintln(p.stdout, line.Problem)
			continue
		}
		s := line.Summary
		if s == nil {
			continue // of a later version
		}
		fmt.Fprintf(p.stdout, "%d shards, %d replicas, %d records, %d problems, %d replicas not checked\n",
			s.Shards, s.Replicas, s.Records, s.Problems, s.Unchecked)
		switch {
		case s.Problems > 0:
			return fmt.Errorf("%d replicas differ from the others of their shard", s.Problems)
		case s.Unchecked > 0:
			return fmt.Errorf("%d replicas could not be checked", s.Unchecked)
		}
		return nil
	}
}

// endpointURL completes an endpoint that was given as host:port.
func endpointURL(endpoint string) string {
	if !strings.Contains(endpoint, "://") {
		endpoint = "http://" + endpoint
	}
	return strings.TrimSuffix(endpoint, "/")
}
