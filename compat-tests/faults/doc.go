// Package faults breaks a cluster of real stator processes on purpose and checks that it kept its promises.
//
// Every node runs in a network namespace of its own, on a bridge that only the test sees. One after another a
// fault from the matrix strikes while clients of all nodes write and read: conditional writes, counters,
// transactions, strong and eventual reads, with one request for each operation and no retries. What they were
// answered is a history, and when the fault has passed the history must be one that a single, correct machine
// could have had:
//
//   - strong reads, conditions and counters are linearizable: porcupine finds an order, which agrees with real
//     time, in which each operation happened at once;
//   - so are transactions over several items, reads and writes (strict serializability);
//   - no acknowledged write is lost: the items are read once more at the end, as part of that history;
//   - eventual reads show only what somebody wrote;
//   - the replicas and the indexes hold the same.
//
// An operation whose outcome the client was not told (no answer in time, a broken connection, HTTP 500) may
// have taken effect at any time since, or never. HTTP 503 means that nothing was done, and is held to it.
//
// Beside them a probe for each shard writes all the time through nodes that are not struck. The longest time that
// any shard went without an acknowledged write is the recovery time in the table.
//
// The tests need Linux, root, iproute2 and util-linux, and take minutes. They run when STATOR_FAULTS is set:
//
//	make faults FAULT_ROUNDS=1
//
// TestMain runs the test binary again in namespaces of its own, so that nothing is left behind however it ends
// and any number of runs can go on at once. STATOR_FAULTS_ONLY, a regular expression, chooses from the matrix.
package faults
