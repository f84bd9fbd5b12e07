"""Why a run ranked passages as it did: for one query, scores taken apart, and what its words weigh."""
