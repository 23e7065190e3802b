package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

const (
	bankTable    = "Bank"
	bankClients  = 8
	bankAccounts = 20
	openingFunds = 50
	bankGroups   = 4
	groupMembers = 4
	// A round waits for a random number of acknowledged transactions before it kills.
	minTransactions, maxTransactions = 20, 300
)

// A bankTransaction adds to the values of some items: it moves an amount between
// two accounts, which must not be overdrawn, or counts up all members of a group.
// It also counts up a receipt of its own, which then tells whether and how often it
// was applied.
type bankTransaction struct {
	id      string // key of the receipt, and the token
	changes map[string]int
}

// newBankTransaction makes up a transaction with the given id.
func newBankTransaction(id string) bankTransaction {
	x := bankTransaction{id: id, changes: map[string]int{}}
	if rand.N(2) == 0 {
		group := rand.N(bankGroups)
		for member := range groupMembers {
			x.changes[memberID(group, member)] = 1
		}
		return x
	}
	from, amount := rand.N(bankAccounts), 1+rand.N(20)
	to := (from + 1 + rand.N(bankAccounts-1)) % bankAccounts
	x.changes[accountID(from)], x.changes[accountID(to)] = -amount, amount
	return x
}

func accountID(n int) string            { return fmt.Sprintf("account/%d", n) }
func memberID(group, member int) string { return fmt.Sprintf("group/%d/%d", group, member) }

func bankKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
}

// send sends the transaction; whenever, it is the same request with the same token.
func (x bankTransaction) send(ctx context.Context, client *dynamodb.Client, options ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken:     aws.String(strings.TrimPrefix(x.id, "receipt/")),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		TransactItems:          []types.TransactWriteItem{{Update: addToValue(x.id, 1)}},
	}
	for _, id := range slices.Sorted(maps.Keys(x.changes)) {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Update: addToValue(id, x.changes[id])})
	}
	return client.TransactWriteItems(ctx, in, options...)
}

// sendUntilAnswered repeats the transaction until the server says what became of it
// or is gone.
func (x bankTransaction) sendUntilAnswered(ctx context.Context, s *instance, client *dynamodb.Client) error {
	noRetries := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} } // they would outlast the server
	for {
		_, err := x.send(ctx, client, noRetries)
		if err == nil || isCanceled(err) || s.ended() || ctx.Err() != nil {
			return err
		}
	}
}

// addToValue adds n to the value of an item, which must not become negative.
func addToValue(id string, n int) *types.Update {
	kind, _, _ := strings.Cut(id, "/")
	update := &types.Update{
		TableName: aws.String(bankTable), Key: bankKey(id),
		UpdateExpression:         aws.String("SET #k = :kind ADD #v :n"),
		ExpressionAttributeNames: map[string]string{"#v": "value", "#k": "kind"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":kind": &types.AttributeValueMemberS{Value: kind}, ":n": number(n),
		},
	}
	if n < 0 {
		update.ConditionExpression = aws.String("#v >= :funds")
		update.ExpressionAttributeValues[":funds"] = number(-n)
	}
	return update
}

// A bank is what the clients know: the values of all items when the server was last
// started and checked, and the transactions since.
type bank struct {
	values       map[string]int
	acknowledged []bankTransaction
	open         []bankTransaction // sent, but not answered before the server was killed
	sent         int               // in all rounds, to make ids

	// What has happened, for the summary.
	totalAcknowledged, openApplied, openAborted, committedParts, abortedParts int
}

// TestKillDuringTransactions kills the server with SIGKILL while clients run
// transactions over several shards, again and again on one directory. After every
// restart the values of all items must be exactly what the transactions with a
// receipt make them, which says that each was applied whole or not at all, that no
// group's members differ and that no money was made or lost; acknowledged ones must
// be among them. No item may be locked. The token of an applied transaction must be
// known, and one that was not applied must be applied once when it is repeated.
func TestKillDuringTransactions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"serve", "--port", "0", "--data-dir", dir, "--shards", "4"}
	s := start(t, args...)
	b := openBank(t, s.client())
	for round := range kills(t, 5) {
		b.transactUntilKilled(t, s)
		got := execute(t, "", "verify", "--data-dir", dir)
		require.Zero(t, got.code, "round %d: %s%s", round, got.stdout, got.stderr)

		s = start(t, args...)
		b.noteRecovery(t, s)
		b.checkAfterRestart(t, s.client())
	}
	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	require.Zero(t, s.wait())
	got := execute(t, "", "verify", "--data-dir", dir)
	require.Zero(t, got.code, "%s%s", got.stdout, got.stderr)
	t.Logf("%d transactions acknowledged; open when killed: %d applied, %d not; parts finished at start: %d committed, %d aborted",
		b.totalAcknowledged, b.openApplied, b.openAborted, b.committedParts, b.abortedParts)
}

// openBank creates the table and fills the accounts. Its index lies on other shards
// than its items.
func openBank(t *testing.T, client *dynamodb.Client) *bank {
	t.Helper()
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(bankTable),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("id"), attribute("kind")},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byKind"),
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("kind"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("id"), KeyType: types.KeyTypeRange},
			},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	require.NoError(t, err)
	b := &bank{values: map[string]int{}}
	for account := range bankAccounts {
		b.values[accountID(account)] = openingFunds
	}
	for group := range bankGroups {
		for member := range groupMembers {
			b.values[memberID(group, member)] = 0
		}
	}
	for id, value := range b.values {
		require.NoError(t, updateBankItem(t.Context(), client, addToValue(id, value)))
	}
	return b
}

// updateBankItem makes a transaction's update on its own.
func updateBankItem(ctx context.Context, client *dynamodb.Client, u *types.Update) error {
	_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
	})
	return err
}

// transactUntilKilled lets all clients run transactions until enough are
// acknowledged, then kills the server in the middle of them.
func (b *bank) transactUntilKilled(t *testing.T, s *instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
	defer cancel()
	var (
		mu      sync.Mutex // guards b
		clients sync.WaitGroup
		enough  = make(chan struct{})
		goal    = minTransactions + rand.N(maxTransactions-minTransactions)
	)
	b.acknowledged, b.open = nil, nil
	for range bankClients {
		clients.Go(func() {
			client := s.client()
			for !s.ended() && ctx.Err() == nil {
				mu.Lock()
				b.sent++
				x := newBankTransaction(fmt.Sprintf("receipt/%d", b.sent))
				mu.Unlock()
				err := x.sendUntilAnswered(ctx, s, client)
				mu.Lock()
				switch {
				case err == nil:
					if b.acknowledged = append(b.acknowledged, x); len(b.acknowledged) == goal {
						close(enough)
					}
				case !isCanceled(err): // else it had no effect: another held an item, or too little money
					b.open = append(b.open, x)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
		t.Error("the server does not acknowledge transactions")
	}
	s.kill()
	clients.Wait()
	require.False(t, t.Failed())
	b.totalAcknowledged += len(b.acknowledged)
}

func isCanceled(err error) bool {
	_, canceled := errors.AsType[*types.TransactionCanceledException](err)
	return canceled
}

var recoveryLine = regexp.MustCompile(`finished interrupted transactions.*committed parts"?[=:](\d+).*aborted parts"?[=:](\d+)`)

// noteRecovery adds up what the server's log says about transactions it finished.
func (b *bank) noteRecovery(t *testing.T, s *instance) {
	t.Helper()
	match := recoveryLine.FindStringSubmatch(s.stderr.String())
	if match == nil {
		return
	}
	for i, total := range []*int{&b.committedParts, &b.abortedParts} {
		n, err := strconv.Atoi(match[i+1])
		require.NoError(t, err)
		*total += n
	}
}

// checkAfterRestart checks everything that TestKillDuringTransactions promises and
// takes what it finds as the new state.
func (b *bank) checkAfterRestart(t *testing.T, client *dynamodb.Client) {
	t.Helper()
	applied := b.checkValues(t, client)
	for _, x := range b.acknowledged {
		require.True(t, applied[x.id], "%s was acknowledged and is gone", x.id)
	}

	// A lock that was left would refuse these with TransactionConflictException.
	for id := range b.values {
		require.NoError(t, updateBankItem(t.Context(), client, addToValue(id, 0)), id)
	}
	for _, x := range b.open {
		out, err := x.send(t.Context(), client)
		if isCanceled(err) {
			// Only for lack of money, and only as it was not applied before.
			reasons := cancellationCodes(err)
			require.Contains(t, reasons, "ConditionalCheckFailed", x.id)
			require.NotContains(t, reasons, "TransactionConflict", x.id)
			require.False(t, applied[x.id], x.id)
			b.openAborted++
			continue
		}
		require.NoError(t, err, x.id)
		require.Equal(t, applied[x.id], isReplay(out), x.id)
		if applied[x.id] {
			b.openApplied++
		} else {
			b.openAborted++
		}
	}
	for _, x := range b.acknowledged[max(0, len(b.acknowledged)-2*bankClients):] {
		out, err := x.send(t.Context(), client)
		require.NoError(t, err, x.id)
		require.True(t, isReplay(out), x.id)
	}

	b.removeReceipts(t, client, b.checkValues(t, client))
	b.values = scanBank(t, client)
	total := 0
	for account := range bankAccounts {
		total += b.values[accountID(account)]
	}
	require.Equal(t, bankAccounts*openingFunds, total)
	require.Len(t, b.values, bankAccounts+bankGroups*groupMembers)
}

// removeReceipts empties the table of receipts before the next round.
func (b *bank) removeReceipts(t *testing.T, client *dynamodb.Client, receipts map[string]bool) {
	t.Helper()
	for ids := range slices.Chunk(slices.Collect(maps.Keys(receipts)), 25) {
		var deletes []types.WriteRequest
		for _, id := range ids {
			deletes = append(deletes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: bankKey(id)}})
		}
		out, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{bankTable: deletes},
		})
		require.NoError(t, err)
		require.Empty(t, out.UnprocessedItems)
	}
}

// checkValues wants the values of all items to be those of the last check and the
// changes of every transaction that has a receipt, each made once. It returns the
// receipts.
func (b *bank) checkValues(t *testing.T, client *dynamodb.Client) map[string]bool {
	t.Helper()
	got, want, applied := scanBank(t, client), maps.Clone(b.values), map[string]bool{}
	for _, x := range slices.Concat(b.acknowledged, b.open) {
		if got[x.id] == 0 {
			continue
		}
		applied[x.id] = true
		want[x.id] = 1
		for id, n := range x.changes {
			want[id] += n
		}
	}
	require.Equal(t, want, got)
	return applied
}

func scanBank(t *testing.T, client *dynamodb.Client) map[string]int {
	t.Helper()
	values := map[string]int{}
	input := &dynamodb.ScanInput{TableName: aws.String(bankTable), ConsistentRead: aws.Bool(true)}
	for pages := dynamodb.NewScanPaginator(client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, item := range page.Items {
			values[item["id"].(*types.AttributeValueMemberS).Value] = integer(t, item["value"])
		}
	}
	return values
}

// isReplay reports whether a transaction that writes was only answered, not run: it
// is then charged for reading.
func isReplay(out *dynamodb.TransactWriteItemsOutput) bool {
	return aws.ToFloat64(out.ConsumedCapacity[0].ReadCapacityUnits) > 0
}

func cancellationCodes(err error) []string {
	canceled, _ := errors.AsType[*types.TransactionCanceledException](err)
	var codes []string
	for _, reason := range canceled.CancellationReasons {
		codes = append(codes, aws.ToString(reason.Code))
	}
	return codes
}
