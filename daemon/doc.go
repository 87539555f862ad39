// Package daemon is the program: configuration, commands, and how the floors
// below are wired together. Nobody imports it but the main package.
//
// Rebake keeps a directory of static pages fresh. What happens to a trigger:
//
//  1. A CMS calls /api/revalidate; api.API.Public checks the secret, and
//     storage.PathRules.Parse every path.
//  2. worker.Worker.Accept records it with ledger.Ledger.Trigger, or in the
//     spool.Spool while Redis takes nothing, from where worker.Worker.Attend
//     brings it to the ledger. From here on it cannot be lost, and the CMS gets
//     its answer.
//  3. The token that the ledger made wakes a worker: a free one of this process
//     at once, or through an asynq task (worker.Worker.Run), or by the sweeper.
//  4. ledger.Ledger.Claim makes the page this run's own.
//  5. renderer.Renderer.Render reads the sources and executes the template.
//  6. The worker's gates look at the page; a bad one is not published.
//  7. output.Dir.Publish asks ledger.Run.Fence within the page's lock, and
//     swaps the files into the directory that nginx serves.
//  8. ledger.Run.Finish strikes the trigger off, unless another one came since
//     step 4: then everything from step 3 happens once more.
package daemon
