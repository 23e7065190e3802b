// Package processes is the laboratory on real servers: a lab.System of processes of
// this binary on this machine, started with --cluster and --lab, which are asked and
// broken by HTTP as everybody else might do it.
//
// Nothing repeats there: the seed still decides what clients do and when, but the
// scheduler, the disk and the network of the machine decide what becomes of it. What
// only a simulation can know is not judged (lab.System says what that is).
//
// Delays between nodes come from the rules of /_stator/lab/links: the median of a
// link, and up to as much again. A crash is kill -9, after which the node is started
// again; a pause is SIGSTOP. That all nodes are on one machine and one disk has to
// be kept in mind when figures are looked at.
package processes
