from benchmarks._launch.scene import commits


def test_commits_of_changes_are_counted_and_nothing_else():
    statements = ["SELECT 1", "UPDATE a", "BEGIN", "SELECT 1", "COMMIT", "BEGIN", "INSERT b", "SAVEPOINT s",
                  "UPDATE b", "RELEASE SAVEPOINT s", "COMMIT", "DELETE c"]  # fmt: skip
    assert commits(statements) == 3
