class _R:
    def known(self, n):
        return n


STUDY_REPORTS = _R()
